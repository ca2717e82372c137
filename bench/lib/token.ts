import { createHmac } from 'node:crypto'

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

/** A token of a user, good for a day. */
export function sign(userId: string, secret: string): string {
  const now = Math.floor(Date.now() / 1_000)
  const body = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: userId, iat: now, exp: now + 86_400 })}`
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`
}
