import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import proxyAddr from '@fastify/proxy-addr'
import { normalizeIP } from '@fastify/rate-limit'
import { listOf } from './config/secrets.js'

/** Whether what a proxy says of the one before it is believed; hop 0 is who is connected to us. */
export type Trust = (address: string, hop: number) => boolean

/** Whom TRUST_PROXY trusts, as Fastify's option `trustProxy` takes it; false for nobody, null for a setting that says nothing. */
export function readTrust(setting = 'false'): Trust | false | null {
  const said = setting.trim().toLowerCase()
  if (said === 'false' || said === '0' || said === '') return false
  if (said === 'true') return () => true
  // Fastify takes a number for nobody, for it does not know who is connected; who says how many there are says that nobody else can.
  if (/^\d{1,2}$/.test(said)) return (_address, hop) => hop < Number(said)
  try {
    return proxyAddr.compile(listOf(said))
  } catch {
    return null
  }
}

/** The address that counts for a request: of who is connected, or, behind proxies that are trusted, of who is in front of them. */
export function createAddressOf(trust: Trust | false) {
  return function addressOf(request: IncomingMessage): string {
    const peer = request.socket.remoteAddress ?? ''
    const said = trust ? proxyAddr(request, trust) : peer
    return networkOf(said) ?? networkOf(peer) ?? ''
  }
}

/** An address in its one spelling; of IPv6 its /64, for who has one address of that has them all. Null for what is none. */
export function networkOf(address: string): string | null {
  return isIP(address) === 0 ? null : normalizeIP(address)
}
