import { setTimeout as sleep } from 'node:timers/promises'
import { toClosing } from '../../contract/closings.js'
import type { Scenario } from '../scenario.js'
import { must, type Stage } from '../stage.js'

/** How long somebody who must stay away is watched. */
const WATCH_MS = 700
/** The shortest life that a token has for sure: its end counts whole seconds. */
const SHORT_S = 3

async function staysAway({ proxy }: Stage, allowed: number): Promise<void> {
  const before = proxy.connections()
  await sleep(WATCH_MS)
  const more = proxy.connections() - before
  must(more <= allowed, `it came back ${more} times`)
}

/** Tokens, closings and drains. */
export const SESSIONS: Scenario[] = [
  {
    name: 'token-ends',
    law: 'After TOKEN_EXPIRED one stays away until there is a new token, and is back with it.',
    async play(stage) {
      const { client, proxy, service, chatId, me } = stage
      await client.order('connect', { url: proxy.url, token: service.token(me, SHORT_S) })
      await client.order('open', { chatId })
      await stage.settle()
      await stage.is('needs-token')
      await staysAway(stage, 0)
      await stage.post(stage.other, 'meanwhile')
      await client.order('token', { token: service.token(me) })
      await stage.settle()
    },
  },
  {
    name: 'token-warned',
    law: 'After `token_expiring` the new token is told on the same connection.',
    async play(stage) {
      await stage.start()
      const token = stage.service.token(stage.me, 7_200)
      await stage.client.order('token', { token })
      const before = stage.proxy.connections()
      const told = stage.rule({
        from: 'client',
        of: 'refresh_token',
        fits: (packet) => packet.kind === 'event' && packet.payload.token === token,
        take: (packet, link) => link.toServer(packet.text),
      })
      stage.proxy.tell('token_expiring', { expiresAt: new Date(Date.now() + 60_000).toISOString() })
      await told
      await stage.settle()
      must(stage.proxy.connections() === before, 'it has cost the connection')
    },
  },
  {
    name: 'drain',
    law: 'A node that drains is come back from, and what waits is sent then.',
    async play(stage) {
      await stage.start()
      stage.proxy.tell('server_draining', { reconnectInMs: 50 })
      stage.proxy.tell('closing', toClosing('DRAINING', 50))
      const unsent = stage.rule({ from: 'client', of: 'send_message', take: (_packet, link) => link.cut() })
      await stage.send('one')
      await unsent
      await stage.post(stage.other, 'two')
      await stage.settle()
    },
  },
  {
    name: 'passing',
    law: 'A closing that is retryable is come back from, even where the server has ended the socket and Socket.IO stays away.',
    async play(stage) {
      await stage.start()
      stage.proxy.tell('closing', toClosing('OVERLOADED', 50))
      stage.proxy.disconnect()
      await stage.post(stage.other, 'meanwhile')
      await stage.settle()
    },
  },
  {
    name: 'final',
    law: 'Who was told a final closing stays away, and says so.',
    async play(stage) {
      await stage.start()
      await stage.service.call('POST', `/users/${stage.me}/disconnect`)
      await stage.is('refused')
      await staysAway(stage, 0)
    },
  },
  {
    name: 'revoked',
    law: 'After TOKEN_REVOKED one stays away and says so: the token that one has is no use.',
    async play(stage) {
      await stage.start()
      await stage.service.call('POST', `/users/${stage.me}/revoke-tokens`)
      await stage.is('refused')
      await staysAway(stage, 0)
    },
  },
  {
    name: 'bad-token',
    law: 'A handshake that is refused for good is not tried for ever.',
    async play(stage) {
      await stage.client.order('connect', { url: stage.proxy.url, token: 'no.token.atall' })
      await stage.until(({ connection }) =>
        ['refused', 'needs-token'].includes(connection) ? null : `the connection is ${connection}`,
      )
      await staysAway(stage, 0)
    },
  },
  {
    name: 'flapping',
    law: 'However often a connection breaks, nothing is lost and nothing is sent twice.',
    async play(stage) {
      await stage.start()
      for (const content of ['one', 'two', 'three']) {
        await stage.is('online')
        await stage.send(content)
        await stage.away(() => stage.post(stage.other, `beside ${content}`))
      }
      await stage.settle()
    },
  },
]
