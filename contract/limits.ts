/** A frame of a socket and a body of REST. */
export const MAX_PAYLOAD_BYTES = 256 * 1_024
export const MAX_TOKEN_BYTES = 4_096
export const MAX_METADATA_BYTES = 4_096
export const MAX_METADATA_DEPTH = 8
export const MAX_NAME_CHARS = 200
export const MAX_TITLE_CHARS = 200

/** Ids in one call; of `status/bulk`, which only reads, more. */
export const MAX_IDS = 500
export const MAX_BULK_IDS = 1_000
/** Users whom one user blocks, and whom one chat keeps out. */
export const MAX_BLOCKED_USERS = 1_000
export const MAX_BANS = 10_000
/** The longest wait between two messages of a member in slow mode. */
export const MAX_SLOW_MODE_SECONDS = 3_600
/** What a report says: its reason, a word or some, and its comment. */
export const MAX_REASON_CHARS = 64
export const MAX_COMMENT_CHARS = 1_000
/** When a mute ends that is for good. */
export const FOR_GOOD = '9999-12-31T23:59:59.999Z'
/** Users whose presence one socket follows. */
export const MAX_WATCHED_USERS = 500
/** Different emoji on one message. */
export const MAX_EMOJI = 50
/** Users whom a message mentions, and files that it carries. */
export const MAX_MENTIONS = 50
export const MAX_ATTACHMENTS = 10
/** Users that a message names for each emoji; the count goes on. */
export const MAX_REACTION_USERS = 50
/** Pinned messages of one chat. */
export const MAX_PINS = 100
/** Unread messages are counted up to this, and said to be more above it. */
export const UNREAD_CAP = 100

/** People of a chat whom MyChat names. */
export const MAX_OTHERS = 4

/** The name of a file. */
export const MAX_FILE_NAME_CHARS = 255
/** Uploads of one user that no message carries yet; each is given up after a day. */
export const MAX_OPEN_UPLOADS = 50
/** How long the URL of an upload may be used. */
export const UPLOAD_URL_MS = 3_600_000

/** Hooks, and their URLs. */
export const MAX_HOOKS = 50
export const MAX_URL_CHARS = 2_048
/** Devices of one user that are told by push; of more, the one that was registered longest ago goes. */
export const MAX_DEVICES = 20

/** Who has not said again that they type is told to have stopped. */
export const TYPING_MS = 6_000
/** How long before its end a token is told to be ending. */
export const TOKEN_WARNING_MS = 60_000

/** How much a page holds: at most, and when its caller does not say. */
export interface PageSize {
  maximum: number
  standard: number
}

/** The page sizes of what is read in pages. */
export const PAGES = {
  messages: { maximum: 200, standard: 50 },
  search: { maximum: 50, standard: 20 },
  mentions: { maximum: 50, standard: 20 },
  pins: { maximum: 50, standard: 50 },
  changes: { maximum: 1_000, standard: 500 },
  chats: { maximum: 200, standard: 50 },
  members: { maximum: 500, standard: 100 },
  bans: { maximum: 500, standard: 100 },
  reports: { maximum: 200, standard: 50 },
  online: { maximum: 1_000, standard: 100 },
} as const satisfies Record<string, PageSize>

/** How much may be done: a second in the long run, and at once after a pause. */
export interface Budget {
  rate: number
  burst: number
}

/** What is limited, and by how much unless the settings say otherwise: of a user, or of an address where its name says so. */
export const BUDGETS = {
  sends: { rate: 10, burst: 30 },
  changes: { rate: 5, burst: 20 },
  reads: { rate: 20, burst: 60 },
  typing: { rate: 5, burst: 20 },
  uploads: { rate: 1, burst: 10 },
  /** Ids of people, whom one call may ask for by the hundred. */
  lookups: { rate: 200, burst: 2_000 },
  connects: { rate: 2, burst: 20 },
  address_connects: { rate: 20, burst: 200 },
  /** Requests that need no user: the page, the docs. */
  address_reads: { rate: 200, burst: 600 },
} as const satisfies Record<string, Budget>
export type BudgetName = keyof typeof BUDGETS

/** What a call of a user is paid from. */
export type RateClass = Exclude<BudgetName, 'lookups' | 'address_connects' | 'address_reads'>

/** So many refusals of a user for their rate, within so long, are abuse: their sockets are closed, and they stay outside for a while. */
export const ABUSE = { refusals: 100, withinMs: 10_000, outsideMs: 30_000 }
