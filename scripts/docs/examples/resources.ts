import type { ResourceAnswers, ResourceInput, ResourceName } from '../../../contract/resources.js'
import { BOB, CHAT_ID, HOOK, LATER, MESSAGE, MESSAGE_ID, PRESENCE, UNREAD, UPLOAD_ID } from './world.js'

/** What a route takes, and what it answers then, by status. */
interface Example<N extends ResourceName> {
  params: ResourceInput<N, 'params'>
  querystring: ResourceInput<N, 'querystring'>
  body: ResourceInput<N, 'body'>
  answers: ResourceAnswers<N>
}

type Given<T> = { [K in keyof T as T[K] extends undefined | null ? never : K]: T[K] }

const userId = 'bob'
const hookId = HOOK.hookId
/** As a service was given it; what is in it is ours. */
const HEADS_CURSOR = 'MTAyNDoxMDI4Og'
/** As `npx web-push generate-vapid-keys` prints it. */
const PUSH_KEY = 'BEl62iUYgUivxIkv69yViEuiBIa-Ib9-SkvMeAtA3LFgDzkrxZJjSgSnfckjBJuBkr3qBUYIHBQFLXYp5Nksh8U'
const health = {
  uptime: 86_400,
  version: '1.0.0',
  connections: 2,
  onlineUsers: 2,
  checks: {
    database: { ok: true, durability: 'power-loss', isFull: false },
    bus: { kind: 'memory', ok: true },
    search: { ok: true, isBuilding: false },
  },
}
const { database } = health.checks

/** An example of every route that is no command's twin. */
export const RESOURCE_EXAMPLES: { [N in ResourceName]: Given<Example<N>> } = {
  get_health: {
    answers: {
      200: { status: 'ok', ...health },
      503: { status: 'down', ...health, checks: { ...health.checks, database: { ...database, ok: false } } },
    },
  },
  get_ready: { answers: { 200: { ready: true }, 503: { ready: false } } },
  get_live: { answers: { 200: { live: true } } },
  get_metrics: {},
  list_online: { querystring: { limit: 100 }, answers: { 200: { count: 1, users: [PRESENCE], nextCursor: null } } },
  get_status: { params: { userId }, answers: { 200: PRESENCE } },
  get_statuses: { body: { userIds: [userId] }, answers: { 200: { statuses: [PRESENCE] } } },
  get_attachment: { params: { attachmentId: UPLOAD_ID } },
  put_attachment: { params: { attachmentId: UPLOAD_ID }, answers: { 200: {} } },
  get_push_key: { answers: { 200: { publicKey: PUSH_KEY } } },
  put_user: { params: { userId }, body: { name: 'Bob', avatarUrl: null }, answers: { 200: BOB, 201: BOB } },
  delete_user: {
    params: { userId },
    querystring: { erase: 'messages' },
    answers: { 200: {}, 202: { erasing: true } },
  },
  get_erasure: { params: { userId }, answers: { 200: { erased: 120, askedAt: LATER, doneAt: null } } },
  export_user: { params: { userId } },
  delete_chat: { params: { chatId: CHAT_ID }, answers: { 200: {} } },
  disconnect_user: { params: { userId }, answers: { 200: { disconnected: 2 } } },
  revoke_tokens: { params: { userId }, answers: { 200: { disconnected: 2, validFrom: LATER } } },
  get_unread: { body: { userIds: [userId] }, answers: { 200: { totals: [{ userId, ...UNREAD }] } } },
  list_reports: {
    querystring: { limit: 50 },
    answers: {
      200: {
        reports: [
          {
            id: MESSAGE_ID,
            message: MESSAGE,
            content: MESSAGE.content,
            reporter: BOB,
            reason: 'spam',
            comment: null,
            at: LATER,
          },
        ],
        nextCursor: null,
      },
    },
  },
  list_hooks: { answers: { 200: { hooks: [HOOK] } } },
  get_hook: { params: { hookId }, answers: { 200: { hook: HOOK } } },
  put_hook: {
    params: { hookId },
    body: { url: HOOK.url, events: HOOK.events },
    answers: {
      200: { hook: HOOK },
      201: { hook: { ...HOOK, secret: 'whsec_bm90IGEgc2VjcmV0LCBqdXN0IGFuIGV4YW1wbGU=' } },
    },
  },
  delete_hook: { params: { hookId }, answers: { 200: {} } },
  replay_hook: { params: { hookId }, body: { chatId: CHAT_ID, fromRevision: 1 }, answers: { 200: { hook: HOOK } } },
  list_heads: {
    querystring: { cursor: HEADS_CURSOR },
    answers: { 200: { chats: [{ chatId: CHAT_ID, head: 57 }], nextCursor: HEADS_CURSOR } },
  },
  get_openapi: {},
  get_asyncapi: {},
  get_docs: {},
  get_events: {},
  get_page: {},
  get_page_settings: {},
  get_demo_tokens: {},
}
