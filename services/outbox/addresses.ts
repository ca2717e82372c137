import { type LookupAddress, lookup as lookUp } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/** An address that hooks are not sent to; whoever made the hook is told so, and nothing of what is there. */
export class PrivateAddress extends Error {
  constructor() {
    super('its address is not public, and WEBHOOK_PRIVATE is not set')
  }
}

/** What IANA has set aside: one's own machine and network, carriers' networks, documentation, multicast, what is yet to come. */
const NOT_PUBLIC = new BlockList()
for (const network of [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4'],
]) {
  add(network, 'ipv4')
}
// Within 2000::/3, which is all that is public in IPv6: what is set aside there, and what leads to IPv4 by another way (Teredo, 6to4).
for (const network of ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']) add(network, 'ipv6')
const GLOBAL_UNICAST = new BlockList()
GLOBAL_UNICAST.addSubnet('2000::', 3, 'ipv6')

function add(network: string, family: 'ipv4' | 'ipv6'): void {
  const [address = '', prefix] = network.split('/')
  NOT_PUBLIC.addSubnet(address, Number(prefix), family)
}

/** Whether an address is one of the public internet's. IPv4 in IPv6's clothes (`::ffff:…`) is none: nobody needs it. */
export function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !NOT_PUBLIC.check(address, 'ipv4')
  return isIP(address) === 6 && GLOBAL_UNICAST.check(address, 'ipv6') && !NOT_PUBLIC.check(address, 'ipv6')
}

/** The host of a URL as connections name it. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '')

/** Throws for a URL that names an address which is not public; what a name leads to is seen when it is connected to. */
export function mustNotBePrivate(url: URL): void {
  if (isIP(hostOf(url)) !== 0 && !isPublic(hostOf(url))) throw new PrivateAddress()
}

/** Looks names up for a connection, which goes to what is answered here and nowhere else: one address that is not public, and there is none. */
export const lookUpPublic: LookupFunction = (hostname, options, done) => {
  lookUp(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    const [first] = addresses ?? []
    if (error || !first) done(error ?? new Error(`${hostname} has no address`), '', 4)
    else if (!addresses.every(({ address }) => isPublic(address))) done(new PrivateAddress(), '', 4)
    else if (options.all) done(null, addresses)
    else done(null, first.address, first.family)
  })
}
