import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { codeOf } from '../../services/errno.js'
import { Refusal } from '../../services/refusals/refusal.js'

/** The certificate and key that the process serves https with; null where it serves http. */
export function readTls(env: NodeJS.ProcessEnv): { cert: Buffer; key: Buffer } | null {
  const { TLS_CERT_FILE, TLS_KEY_FILE } = env
  if (!TLS_CERT_FILE && !TLS_KEY_FILE) return null
  if (!TLS_CERT_FILE || !TLS_KEY_FILE)
    throw wrong('Of TLS_CERT_FILE and TLS_KEY_FILE one is missing: set both, or neither.')
  const tls = { cert: read('TLS_CERT_FILE', TLS_CERT_FILE), key: read('TLS_KEY_FILE', TLS_KEY_FILE) }
  try {
    createSecureContext(tls)
  } catch (error) {
    throw wrong(
      'TLS_CERT_FILE and TLS_KEY_FILE are no pair: they must be the PEM of a certificate and of its own private key.',
      error,
    )
  }
  return tls
}

function read(name: string, file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw wrong(`${name} cannot be read (${codeOf(error)}): it must be a PEM file that this user may read.`, error)
  }
}

const wrong = (message: string, cause?: unknown) => new Refusal(message, { code: 'SETTINGS_WRONG', cause })
