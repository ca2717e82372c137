import { type Static, Type } from '@sinclair/typebox'
import { BUDGETS, type BudgetName } from '../../contract/limits.js'
import { CHAT_CREATIONS, type ChatCreation } from '../../contract/who.js'
import { BUS_KINDS, type BusKind } from '../../services/bus/index.js'
import { HOOK_SETTINGS } from './hook-settings.js'
import { Count, Flag, List, Text } from './kinds.js'
import { NoticeSettings } from './notice-settings.js'
import { WORKERS_FORM } from './workers.js'

/** A rate and a burst, as "10/30". */
const Allowance = (name: BudgetName, description: string) =>
  Type.String({
    default: `${BUDGETS[name].rate}/${BUDGETS[name].burst}`,
    pattern: '^[1-9]\\d{0,5}/[1-9]\\d{0,5}$',
    form: 'two whole numbers from 1 to 999999 as 10/30: so many a second, and so many at once',
    description,
  })

/** Every setting: the environment's names, what they may be, their defaults and what they do. Options of the app plugin are the same in camelCase. */
export const Settings = Type.Object({
  NODE_ENV: Type.Unsafe<'development' | 'production' | 'test'>({
    type: 'string',
    enum: ['development', 'production', 'test'],
    default: 'development',
    description: '`production` refuses weak secrets and opens nothing by itself',
  }),
  HOST: Text('Address to listen on; development: 127.0.0.1, production: 0.0.0.0'),
  PORT: Type.Integer({
    default: 3002,
    minimum: 0,
    maximum: 65_535,
    description: 'Port to listen on; 0 takes a free one',
  }),
  WORKERS: Text('Processes on one port that share DATABASE_URL; auto: one for each core; unset: 1', WORKERS_FORM),
  TLS_CERT_FILE: Text('PEM file of the certificate, with those between it and its root: the process then serves https'),
  TLS_KEY_FILE: Text('PEM file of its private key'),
  LOG_LEVEL: Type.Optional(
    Type.Unsafe<'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'>({
      type: 'string',
      enum: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      description: 'Development: debug, production: info',
    }),
  ),
  DATABASE_URL: Text('PostgreSQL 15 or newer, as postgres://…; unset: the embedded database', {
    pattern: '^postgres(ql)?://',
    form: 'a URL as postgres://user:password@host:5432/database',
  }),
  DATABASE_SCHEMA: Type.String({
    default: 'public',
    pattern: '^[a-z_][a-z0-9_]{0,62}$',
    form: 'a name of up to 63 lower-case letters, digits and _ that begins with no digit',
    description: 'PostgreSQL schema that holds all our tables; made if missing',
  }),
  BUS: Type.Unsafe<'auto' | BusKind>({
    type: 'string',
    enum: ['auto', ...BUS_KINDS],
    default: 'auto',
    description:
      'What nodes of one database hear each other by; auto: `redis` with REDIS_URL, else `postgres` with DATABASE_URL, else `memory`, which is for one node alone',
  }),
  REDIS_URL: Text('Redis or Valkey, as redis://… or, with TLS, rediss://…: a bus for many nodes', {
    pattern: '^rediss?://[^/]',
    form: 'a URL as redis://user:password@host:6379, or rediss://… with TLS',
  }),
  DATA_DIR: Type.String({
    default: './data',
    minLength: 1,
    description: 'Folder of the embedded database and of the development secret',
  }),
  JWT_SECRET: Text(
    'HS256 secret, at least 32 bytes; several with commas between, each as it is or as `kid=NAME:SECRET`; development makes one and keeps it in DATA_DIR',
  ),
  JWT_PUBLIC_KEY: Text(
    'PEM of the key that verifies RS256, ES256 or EdDSA tokens; several with commas between, each as it is or as `kid=NAME:PEM`',
  ),
  JWT_JWKS_URL: List('URL of the JWKS that verifies tokens; several with commas between, each for its own JWT_ISSUER', {
    pattern: 'https?://[^/,\\s][^,\\s]*',
    form: 'a URL as https://id.example.com/.well-known/jwks.json, or several with commas between',
  }),
  JWT_ALGORITHMS: List('Comma-separated; default HS256 for a secret, else RS256,ES256,EdDSA', {
    pattern: '(HS|RS|PS|ES)(256|384|512)|EdDSA',
    form: 'a comma-separated list of HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 and EdDSA',
  }),
  JWT_ISSUER: Text(
    'Required `iss`; of several with commas between, one; with several JWT_JWKS_URL, each of its own, in their order',
  ),
  JWT_AUDIENCE: Text('Required `aud`'),
  JWT_USER_CLAIM: Type.String({ default: 'sub', minLength: 1, description: 'Claim that holds the user id' }),
  JWT_REQUIRE_EXP: Flag(true, 'Whether a token must end'),
  JWT_MAX_LIFETIME: Count(31_622_400, 'Seconds that `exp` may lie ahead', 1, 3_153_600_000),
  SERVICE_API_KEYS: Text('Comma-separated keys for X-Api-Key, at least 32 characters each'),
  CORS_ORIGINS: List(
    'Comma-separated origins of browsers, or *; development: any localhost port; production: the same origin only',
    {
      pattern: '\\*|[a-z][a-z0-9+.-]*://[^/,\\s]+/?',
      form: 'a comma-separated list of origins as https://app.example.com, without a path, or *',
    },
  ),
  AUTO_CREATE_USERS: Type.Optional(Type.Boolean({ description: 'Make users from token claims; development: true' })),
  CHAT_CREATION: Type.Optional(
    Type.Unsafe<ChatCreation>({
      type: 'string',
      enum: CHAT_CREATIONS,
      description: 'Who may make chats; development: users, production: service',
    }),
  ),
  DEMO_DATA: Type.Optional(Type.Boolean({ description: 'Load demo users and chats; development: true' })),
  WEB: Type.Optional(Type.Boolean({ description: 'Serve the chat page at /; development: true' })),
  DOCS: Type.Optional(
    Type.Boolean({
      description: 'Serve /docs, /openapi.json and /asyncapi.json without credentials; development: true',
    }),
  ),
  METRICS: Type.Optional(Type.Boolean({ description: 'Serve /metrics without credentials; development: true' })),
  BUILD_COMMIT: Text('The commit that this build was made of, as /metrics tells it; the image has it'),
  SOCKET_PATH: Type.String({
    default: '/socket.io',
    pattern: '^/',
    form: 'a path that begins with /',
    description: 'Path of the Socket.IO endpoint',
  }),
  TRUST_PROXY: Text(
    'Whose X-Forwarded-For is believed: the number of proxies in front, or a comma-separated list of their addresses and networks, or `true` for anybody; unset: nobody',
  ),
  MAX_MESSAGE_CHARS: Count(8_000, 'Characters in a message', 1, 65_536),
  MAX_CHATS_PER_USER: Count(1_000, 'Chats that a user can be in', 1, 100_000),
  MAX_SOCKET_BUFFER_BYTES: Count(
    1_048_576,
    'Bytes that may wait for a slow socket before it is closed',
    65_536,
    1_073_741_824,
  ),
  MAX_SOCKETS_PER_USER: Count(50, 'Sockets of one user, on all nodes', 1, 10_000),
  MAX_SOCKETS_PER_ADDRESS: Count(
    1_000,
    'Sockets, and TCP connections, of one address (of an IPv6 network /64) on one node; 0: any number',
    0,
    1_000_000,
  ),
  MAX_LOOP_DELAY_MS: Count(
    100,
    'Mean delay of the event loop above which newcomers are told to come later; 0: never',
    0,
    60_000,
  ),
  PRESENCE_GRACE_MS: Count(3_000, 'How long after the last socket a user stays online', 0, 3_600_000),
  PRESENCE_LEASE_MS: Count(12_000, 'How long a dead node keeps its users online', 1_000, 3_600_000),
  PRESENCE_MAX_MEMBERS: Count(200, 'Largest chat along which presence, typing and read marks are pushed', 1, 100_000),
  LOG_DAYS: Count(
    30,
    'Days that changes are kept for `sync`, beside the newest 500 of each chat: who was away for longer is told `reset`; 0: as long as the messages',
    0,
    36_500,
  ),
  RETENTION_DAYS: Count(0, 'Days that messages are kept; 0: for ever', 0, 36_500),
  SEARCH: Flag(true, 'Whether messages can be searched; costs an index'),
  RATE_LIMIT: Type.Unsafe<'on' | 'off'>({
    type: 'string',
    enum: ['on', 'off'],
    default: 'on',
    description: 'Whether what users do is limited, by the budgets that follow: a second, and at once after a pause',
  }),
  RATE_SENDS: Allowance('sends', 'Messages that a user sends'),
  RATE_CHANGES: Allowance('changes', 'Edits, reactions, and changes of chats and members'),
  RATE_READS: Allowance('reads', 'History, searches, syncs, lists, look-ups and read marks of a user'),
  RATE_TYPING: Allowance('typing', 'Typing and changes of presence'),
  RATE_UPLOADS: Allowance('uploads', 'Uploads that a user begins'),
  RATE_LOOKUPS: Allowance('lookups', 'People whom a user looks up, in however many calls'),
  RATE_CONNECTS: Allowance('connects', 'Handshakes and new tokens of a user'),
  RATE_ADDRESS_CONNECTS: Allowance('address_connects', 'Handshakes of an address'),
  RATE_ADDRESS_READS: Allowance('address_reads', 'Requests of an address that need no user: the page, the docs'),
  MIN_FREE_BYTES: Count(
    67_108_864,
    'Room that the disk of the embedded database keeps; with less, nothing more is stored',
    33_554_432,
    1_099_511_627_776,
  ),
  UPLOADS: Text(
    'Where files of messages are: `off`, `folder` (DATA_DIR/uploads), or an S3 bucket; unset: `folder` with the embedded database, else `off`',
    {
      pattern: '^(off|folder|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]([/?]\\S*)?)$',
      form: 'off, folder, or a bucket as s3://bucket?region=eu-central-1&endpoint=https://s3.example.com',
    },
  ),
  MAX_UPLOAD_BYTES: Count(26_214_400, 'Bytes in a file of a message', 1, 5_368_709_120),
  S3_ACCESS_KEY_ID: Text('Key of the bucket in UPLOADS'),
  S3_SECRET_ACCESS_KEY: Text('Secret of that key'),
  ...HOOK_SETTINGS,
  ...NoticeSettings,
  DRAIN_MS: Count(2_000, 'How long a stopping node takes to close its sockets', 0, 25_000),
})

/** The checked settings. */
export type Settings = Static<typeof Settings>

type Camel<S extends string> = S extends `${infer A}_${infer B}`
  ? `${Lowercase<A>}${Capitalize<Camel<B>>}`
  : Lowercase<S>
/** The settings as options of the app plugin. */
export type SettingOptions = { [K in keyof Settings as Camel<K>]?: Settings[K] }

/** The settings with what depends on the mode filled in. */
export type Config = Omit<Settings, 'BUS'> &
  Required<
    Pick<
      Settings,
      'HOST' | 'LOG_LEVEL' | 'AUTO_CREATE_USERS' | 'CHAT_CREATION' | 'DEMO_DATA' | 'WEB' | 'DOCS' | 'METRICS'
    >
  > & {
    isProduction: boolean
    /** The version of the bus, chosen. */
    BUS: BusKind
  }

export interface ConfigOptions extends SettingOptions {
  /** Where settings that are no options come from, as `process.env`; unset, from nowhere. */
  env?: NodeJS.ProcessEnv | undefined
}

/** A setting's name as an option: DATABASE_URL → databaseUrl. */
export function optionName(setting: string): string {
  return setting.toLowerCase().replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase())
}
