const BYTES = 16

/** A random key, also on pages without TLS, where `crypto.randomUUID` is missing. */
export const createId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(BYTES)), (byte) => byte.toString(16).padStart(2, '0')).join('')
