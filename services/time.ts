/** Milliseconds since 1970 as RFC 3339 in UTC. */
export const toTime = (ms: number) => new Date(ms).toISOString()

/** What PostgreSQL prints of a timestamptz (in UTC, up to milliseconds, without closing zeros) as RFC 3339. */
export function readTime(text: string): string {
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.slice(20, -3).padEnd(3, '0')}Z`
}
