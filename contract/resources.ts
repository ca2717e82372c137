import { type Static, type TObject, type TSchema, Type } from '@sinclair/typebox'
import {
  AttachmentParams,
  ChatParams,
  DeleteUserQuery,
  DisconnectAnswer,
  ErasingAnswer,
  ErasureAnswer,
  OnlineAnswer,
  OnlineQuery,
  PushKeyAnswer,
  ReportsAnswer,
  ReportsQuery,
  RevokeAnswer,
  StatusBulkAnswer,
  StatusBulkBody,
  UnreadAnswer,
  UnreadBody,
  UserBody,
  UserParams,
} from './bodies.js'
import { HealthAnswer, LiveAnswer, ReadyAnswer } from './health.js'
import { HeadsAnswer, HeadsQuery, HookAnswer, HookBody, HookParams, HooksAnswer, ReplayBody } from './hooks.js'
import type { RateClass } from './limits.js'
import { Presence, User } from './shapes.js'
import type { RouteWho, Tag } from './who.js'
import { keysOf } from './words.js'

/** One REST route that is no command's twin: what it takes, what it answers and who may call it. */
export interface Resource {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  url: string
  summary: string
  tag: Tag
  who: RouteWho
  /** A setting that opens it to everybody. */
  openedBy?: 'METRICS' | 'DOCS'
  /** What pays for a user's call, and the list of its body that `lookups` pays for; free without it. */
  rate?: RateClass
  lookups?: string
  /** Whether an address may call it only so often, for what is asked without a user. */
  perAddress?: true
  /** What the parts of a request must be, by Fastify's names for them. */
  input: { params?: TObject; querystring?: TObject; body?: TObject }
  /** Whether its body is bytes of any type. */
  takesBytes?: true
  /** The bodies of its successes, by status; null for a route whose answer is no JSON of ours. */
  answers: { [status: number]: TSchema } | null
  /** The media types of what it answers instead, null for no body; a route with neither is a page for people, and OpenAPI does not tell of it. */
  media?: { [status: number]: string | null }
}

/** The table of the REST routes that are no command's twins. */
export const RESOURCES = {
  get_health: {
    method: 'GET',
    url: '/health',
    summary: 'How the service is.',
    tag: 'health',
    who: 'everybody',
    input: {},
    answers: { 200: HealthAnswer, 503: HealthAnswer },
  },
  get_ready: {
    method: 'GET',
    url: '/ready',
    summary: 'Whether to send traffic here.',
    tag: 'health',
    who: 'everybody',
    input: {},
    answers: { 200: ReadyAnswer, 503: ReadyAnswer },
  },
  get_live: {
    method: 'GET',
    url: '/live',
    summary: 'Whether the loop turns.',
    tag: 'health',
    who: 'everybody',
    input: {},
    answers: { 200: LiveAnswer },
  },
  get_metrics: {
    method: 'GET',
    url: '/metrics',
    summary: 'What Prometheus scrapes.',
    tag: 'health',
    who: 'service',
    openedBy: 'METRICS',
    perAddress: true,
    input: {},
    answers: null,
    media: { 200: 'text/plain' },
  },
  list_online: {
    method: 'GET',
    url: '/users/online',
    summary: 'Who is online, by user id.',
    tag: 'presence',
    who: 'caller',
    rate: 'reads',
    input: { querystring: OnlineQuery },
    answers: { 200: OnlineAnswer },
  },
  get_status: {
    method: 'GET',
    url: '/users/:userId/status',
    summary: 'How somebody is; unknown and hidden users look alike.',
    tag: 'presence',
    who: 'caller',
    rate: 'reads',
    input: { params: UserParams },
    answers: { 200: Presence },
  },
  get_statuses: {
    method: 'POST',
    url: '/users/status/bulk',
    summary: 'How many people are, in the order asked.',
    tag: 'presence',
    who: 'caller',
    rate: 'reads',
    lookups: 'userIds',
    input: { body: StatusBulkBody },
    answers: { 200: StatusBulkAnswer },
  },
  get_attachment: {
    method: 'GET',
    url: '/attachments/:attachmentId',
    summary: 'The bytes of a file, whole or a range of them, or the way to them (302).',
    tag: 'messages',
    who: 'viewer',
    rate: 'reads',
    input: { params: AttachmentParams },
    answers: null,
    media: { 200: '*/*', 206: '*/*', 302: null },
  },
  put_attachment: {
    method: 'PUT',
    url: '/attachments/:attachmentId',
    summary: 'Upload the bytes of a file, as create_upload said.',
    tag: 'messages',
    who: 'holder',
    perAddress: true,
    input: { params: AttachmentParams },
    takesBytes: true,
    answers: { 200: Type.Object({}) },
  },
  get_push_key: {
    method: 'GET',
    url: '/push/key',
    summary: 'The key that a browser needs to subscribe to Web Push; NOT_FOUND where it is not set up.',
    tag: 'users',
    who: 'caller',
    rate: 'reads',
    input: {},
    answers: { 200: PushKeyAnswer },
  },
  put_user: {
    method: 'PUT',
    url: '/users/:userId',
    summary: 'Make or change a user.',
    tag: 'services',
    who: 'service',
    input: { params: UserParams, body: UserBody },
    answers: { 200: User, 201: User },
  },
  delete_user: {
    method: 'DELETE',
    url: '/users/:userId',
    summary:
      'Make a tombstone of a user: profile blanked, memberships ended, sockets cut; with erase=messages what they wrote too, which goes on after the answer.',
    tag: 'services',
    who: 'service',
    input: { params: UserParams, querystring: DeleteUserQuery },
    answers: { 200: Type.Object({}), 202: ErasingAnswer },
  },
  get_erasure: {
    method: 'GET',
    url: '/users/:userId/erasure',
    summary: 'How far the deletion of what a user wrote has come.',
    tag: 'services',
    who: 'service',
    input: { params: UserParams },
    answers: { 200: ErasureAnswer },
  },
  export_user: {
    method: 'GET',
    url: '/users/:userId/export',
    summary: 'All that is kept of a user, as NDJSON; the last line is `{ "type": "end" }`.',
    tag: 'services',
    who: 'service',
    input: { params: UserParams },
    answers: null,
    media: { 200: 'application/x-ndjson' },
  },
  delete_chat: {
    method: 'DELETE',
    url: '/chats/:chatId',
    summary: 'Delete a chat with all that is in it; everybody is out at once, and its id stays taken.',
    tag: 'services',
    who: 'service',
    input: { params: ChatParams },
    answers: { 200: Type.Object({}) },
  },
  disconnect_user: {
    method: 'POST',
    url: '/users/:userId/disconnect',
    summary: 'Cut all sockets of a user; their clients stay away until they connect anew.',
    tag: 'services',
    who: 'service',
    input: { params: UserParams },
    answers: { 200: DisconnectAnswer },
  },
  revoke_tokens: {
    method: 'POST',
    url: '/users/:userId/revoke-tokens',
    summary:
      'Make all tokens issued to a user so far worthless, and cut their sockets; those with an `iat` from `validFrom` on count.',
    tag: 'services',
    who: 'service',
    input: { params: UserParams },
    answers: { 200: RevokeAnswer },
  },
  get_unread: {
    method: 'POST',
    url: '/users/unread',
    summary:
      'What is unread in all chats of some users, in the order asked, as `session.unread` tells it; of who is in none, nothing.',
    tag: 'services',
    who: 'service',
    input: { body: UnreadBody },
    answers: { 200: UnreadAnswer },
  },
  list_reports: {
    method: 'GET',
    url: '/reports',
    summary: 'What members hold against messages, newest first.',
    tag: 'services',
    who: 'service',
    input: { querystring: ReportsQuery },
    answers: { 200: ReportsAnswer },
  },
  list_hooks: {
    method: 'GET',
    url: '/hooks',
    summary: 'Who is told of what happens, by POST, and how far they are behind.',
    tag: 'services',
    who: 'service',
    input: {},
    answers: { 200: HooksAnswer },
  },
  get_hook: {
    method: 'GET',
    url: '/hooks/:hookId',
    summary: 'One hook, and how far it is behind.',
    tag: 'services',
    who: 'service',
    input: { params: HookParams },
    answers: { 200: HookAnswer },
  },
  put_hook: {
    method: 'PUT',
    url: '/hooks/:hookId',
    summary:
      'Make a hook, which is told from now on, or change it. With another secret, the one before signs, too, for a day.',
    tag: 'services',
    who: 'service',
    input: { params: HookParams, body: HookBody },
    answers: { 200: HookAnswer, 201: HookAnswer },
  },
  delete_hook: {
    method: 'DELETE',
    url: '/hooks/:hookId',
    summary: 'Delete a hook.',
    tag: 'services',
    who: 'service',
    input: { params: HookParams },
    answers: { 200: Type.Object({}) },
  },
  replay_hook: {
    method: 'POST',
    url: '/hooks/:hookId/replay',
    summary: 'Tell a hook again what it was told, of one chat or of all, from a revision on or from the first.',
    tag: 'services',
    who: 'service',
    input: { params: HookParams, body: ReplayBody },
    answers: { 200: HookAnswer },
  },
  list_heads: {
    method: 'GET',
    url: '/changes/heads',
    summary:
      'Chats that changed since a cursor, each at least once, and without a cursor all; what changed in them is for `sync` to say. The last page is empty, and its cursor is the one to come back with.',
    tag: 'services',
    who: 'service',
    input: { querystring: HeadsQuery },
    answers: { 200: HeadsAnswer },
  },
  get_openapi: {
    method: 'GET',
    url: '/openapi.json',
    summary: 'The OpenAPI document: the REST routes.',
    tag: 'docs',
    who: 'service',
    openedBy: 'DOCS',
    perAddress: true,
    input: {},
    answers: null,
    media: { 200: 'application/json' },
  },
  get_asyncapi: {
    method: 'GET',
    url: '/asyncapi.json',
    summary: 'The AsyncAPI document: what a socket sends and hears.',
    tag: 'docs',
    who: 'service',
    openedBy: 'DOCS',
    perAddress: true,
    input: {},
    answers: null,
    media: { 200: 'application/json' },
  },
  get_docs: {
    method: 'GET',
    url: '/docs',
    summary: 'The OpenAPI document as a page.',
    tag: 'docs',
    who: 'service',
    openedBy: 'DOCS',
    perAddress: true,
    input: {},
    answers: null,
  },
  get_events: {
    method: 'GET',
    url: '/docs/events',
    summary: 'The AsyncAPI document as a page.',
    tag: 'docs',
    who: 'service',
    openedBy: 'DOCS',
    perAddress: true,
    input: {},
    answers: null,
  },
  get_page: {
    method: 'GET',
    url: '/',
    summary: 'The chat page, where WEB serves it.',
    tag: 'docs',
    who: 'everybody',
    perAddress: true,
    input: {},
    answers: null,
  },
  get_page_settings: {
    method: 'GET',
    url: '/page/settings',
    summary:
      'What the chat page has to know of the settings: how long a message may be, how large a file, the key of Web Push.',
    tag: 'docs',
    who: 'everybody',
    perAddress: true,
    input: {},
    answers: null,
  },
  get_demo_tokens: {
    method: 'GET',
    url: '/demo/tokens',
    summary: 'Tokens of the people in the demo data.',
    tag: 'docs',
    who: 'local',
    perAddress: true,
    input: {},
    answers: null,
  },
} as const satisfies Record<string, Resource>

export type ResourceName = keyof typeof RESOURCES

/** What a part of a route's request is, by Fastify's name for it. */
export type ResourceInput<N extends ResourceName, Part extends keyof Resource['input']> =
  (typeof RESOURCES)[N]['input'] extends Record<Part, infer S extends TSchema> ? Static<S> : undefined

/** What a route answers, by status. */
export type ResourceAnswers<N extends ResourceName> = (typeof RESOURCES)[N]['answers'] extends infer A
  ? { [Status in keyof A]: A[Status] extends TSchema ? Static<A[Status]> : never }
  : never

/** The names of all routes that are no command's twins. */
export const RESOURCE_NAMES = keysOf(RESOURCES)
