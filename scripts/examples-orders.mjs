// What examples/main-api does with a database that it shares with the chat, and with hooks.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import pg from 'pg'
import { Webhook } from 'standardwebhooks'
import { call, must } from './apps.mjs'

const ROLES = `
CREATE ROLE chat LOGIN;
CREATE SCHEMA chat AUTHORIZATION chat;
CREATE ROLE shop LOGIN;
GRANT CREATE ON SCHEMA public TO shop;`
const GRANTS = `
GRANT USAGE ON SCHEMA chat TO shop;
GRANT EXECUTE ON FUNCTION chat.chat_send_message TO shop;`

/** A PostgreSQL with a role of the chat and one of the main API, where there is one; else neither, and hooks alone are looked at. */
export async function addOrders() {
  // Built with the packages.
  const { postgresAvailable, startPostgres } = await import('../dist/test/helpers/postgres.js')
  if (!postgresAvailable) {
    const check = async (asked) => `${await checkHooks(asked)}, without PostgreSQL`
    return { ofChat: {}, ofApi: {}, grant: async () => {}, check, end: async () => {} }
  }
  const steps = []
  const cluster = await startPostgres({ teardown: (step) => steps.push(step) })
  const owner = new pg.Client({ connectionString: cluster.url })
  await owner.connect()
  await owner.query(ROLES)
  const urlOf = (role) => cluster.url.replace('postgres@', `${role}@`)
  return {
    ofChat: { DATABASE_URL: urlOf('chat'), DATABASE_SCHEMA: 'chat' },
    ofApi: { DATABASE_URL: urlOf('shop') },
    grant: () => owner.query(GRANTS),
    check: async (asked) => `${await checkHooks(asked)}, ${await checkOrders(asked, owner)}`,
    async end() {
      await owner.end()
      for (const step of steps) await step()
    },
  }
}

async function checkOrders({ url, chatId, socket }, owner) {
  const order = (id, userId, status, what = 'a hat') =>
    call(`${url}/orders/${id}`, { method: 'PUT', body: { what, userId, chatId }, status })
  const coming = once(socket, 'new_message')
  const { seq } = await order('7', 'ann', 201)
  const [message] = await coming
  must(message.content === 'Order 7: a hat' && message.seq === seq, 'the message of an order does not arrive')
  must(message.metadata.orderId === '7', 'the message does not name its order')
  must((await order('7', 'ann', 200)).duplicate, 'an order that is placed twice is stored twice')
  must((await order('8', 'zoe', 404)).error.code === 'NOT_FOUND', 'a stranger may send')
  must((await order('9', 'ann', 400, 'x'.repeat(9_000))).error.code === 'VALIDATION_FAILED', 'anything may be sent')
  const { rows } = await owner.query('SELECT id FROM orders')
  must(rows.map(({ id }) => id).join() === '7', 'an order is stored whose message was refused')
  return 'an order with its message'
}

/** Signs hooks as the chat does. */
async function checkHooks({ url, secret }) {
  const post = async (type, data, signer = new Webhook(secret)) => {
    const body = JSON.stringify({ type, timestamp: new Date().toISOString(), data })
    const [id, now] = [`msg_${randomUUID()}`, new Date()]
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
      'webhook-signature': signer.sign(id, now, body),
    }
    return (await fetch(`${url}/hooks`, { method: 'POST', headers, body })).status
  }
  const range = (from, through) => ({
    ...{ chatId: 'signed', from, through, head: through },
    changes: Array.from({ length: through - from + 1 }, (_, i) => ({ chatId: 'signed', revision: from + i })),
  })
  const stranger = new Webhook('whsec_c29tZWJvZHkgZWxzZSBoYXMgdGhpcyBzZWNyZXQ=')
  must((await post('chat.changes', range(1, 3), stranger)) === 401, 'a stranger may post hooks')
  // The second comes twice, once with more behind it.
  for (const [from, through] of [
    [1, 3],
    [4, 5],
    [4, 6],
  ]) {
    must((await post('chat.changes', range(from, through))) === 204, 'a hook is not taken')
  }
  const stateOf = () => call(`${url}/hooks`)
  const state = await stateOf()
  must(state.heard.signed === 6 && state.changes >= 6 && state.missed === 0, `it heard ${JSON.stringify(state)}`)
  await post('chat.changes', range(9, 9))
  must((await stateOf()).missed === 2, 'what was missed is not seen')
  const notice = { userId: 'ann', chatId: 'signed', unreadCount: 2, total: 2 }
  await post('member.unread', notice)
  must(
    (await stateOf()).notices.some(({ chatId }) => chatId === 'signed'),
    'a notice is not taken',
  )
  return 'hooks received'
}
