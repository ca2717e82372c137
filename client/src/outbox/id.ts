/** Digits of a UUID of version 4: each 0 or 8 becomes a random one, 8 within its variant. */
const FORM = '00000000-0000-4000-8000-000000000000'

/** A random UUID, also on pages without TLS, where `crypto.randomUUID` is missing. */
export function createId(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID()
  const bytes = crypto.getRandomValues(new Uint8Array(FORM.length))
  return FORM.replace(/[08]/g, (digit, at: number) =>
    (((bytes[at] ?? 0) % (digit === '8' ? 4 : 16)) + Number(digit)).toString(16),
  )
}
