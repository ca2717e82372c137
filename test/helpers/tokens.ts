import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { createSigner } from 'fast-jwt'
import type { Owner } from './postgres.js'

const encode = (text: string) => Buffer.from(text).toString('base64url')

/** Signs any text as claims, under any header, by HMAC: what a library would not do. */
export function forge(
  claims: string,
  secret: string,
  { alg = 'HS256', ...header }: Record<string, unknown> = {},
): string {
  const input = `${encode(JSON.stringify({ alg, typ: 'JWT', ...header }))}.${encode(claims)}`
  const hash = /^HS(256|384|512)$/.exec(String(alg))?.[1]
  return `${input}.${hash ? createHmac(`sha${hash}`, secret).update(input).digest('base64url') : ''}`
}

/** A pair of keys with which tokens are signed and verified. */
export interface Keys {
  alg: 'RS256' | 'ES256' | 'EdDSA'
  pem: string
  publicKey: KeyObject
  /** The public key as a member of a JWKS. */
  jwk(more?: object): object
  sign(claims: object, kid?: string): string
}

export function makeKeys(alg: Keys['alg'], { rsaBits = 2_048 } = {}): Keys {
  const { privateKey, publicKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: rsaBits })
      : alg === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('ed25519')
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  return {
    alg,
    pem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    publicKey,
    jwk: (more = {}) => ({ ...publicKey.export({ format: 'jwk' }), ...more }),
    sign: (claims, kid) => createSigner({ algorithm: alg, key, ...(kid !== undefined && { kid }) })(claims),
  }
}

/** Serves a JWKS; what it answers can be changed, or be written by the test itself, and is counted. */
export async function serveJwks(t: Owner) {
  const jwks = { keys: [] as object[], status: 200, requests: 0, url: '', respond: answer }
  function answer(response: ServerResponse): void {
    response.writeHead(jwks.status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: jwks.keys }))
  }
  const server = createServer((_request, response) => {
    jwks.requests += 1
    jwks.respond(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  jwks.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys/jwks.json`
  return jwks
}

/** A door that leads to one service after another, as a load balancer does. */
export async function openProxy(t: Owner, to: string) {
  const proxy = { to, url: '' }
  const sockets = new Set<Socket>()
  const server = createTcpServer((near) => {
    const far = connect(Number(new URL(proxy.to).port), '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return proxy
}
