import { setTimeout as sleep } from 'node:timers/promises'
import type { Change, Message } from '../contract/shapes.js'
import type { Authorize } from './binder/index.js'
import type { Bus, LoggedChange, Origin, Range, Written } from './bus/index.js'
import type { Log } from './log/index.js'
import { toChange } from './log/reader.js'
import type { Logger } from './logger.js'
import type { OnUnread } from './notices/index.js'
import type { ResolveUser } from './session/accounts.js'
import type { Presign } from './uploads/ports.js'

/** What a host hangs in. */
export interface HostHooks {
  /** Told of every message that this node stored, whoever sent it, once, after its commit and beside its ack, which waits for nothing here; what it throws is logged. */
  onMessage?: ((message: Message) => Promise<void> | void) | undefined
  /** Told as onMessage is, of every change of a chat: messages stored, edited and deleted, reactions, members, the chat itself. Those that this node made of a chat come in order. */
  onChange?: ((change: Change) => Promise<void> | void) | undefined
  /** Told, on one node of all, of what somebody who is away has not read: `member.unread`, NOTIFY_AFTER_MS after a message. A notice may come again after a crash, with the same noticeId; what it throws is logged. */
  onUnread?: OnUnread | undefined
  /** Asked before a command runs, over either door: a ChatError that it throws is the answer, any other error is INTERNAL. */
  authorize?: Authorize | undefined
  /** Answers a URL at which the bytes of an upload are put, read or deleted: then they are in a store of the host's, whatever UPLOADS says but `off`. */
  presign?: Presign | undefined
  /** Answers the profile of a verified token's user, or null to refuse; kept in our users table. Asked at each handshake and REST call with a token. */
  resolveUser?: ResolveUser | undefined
}

export interface ListenersOptions extends Pick<HostHooks, 'onMessage' | 'onChange'> {
  bus: Pick<Bus, 'subscribe'>
  log: Pick<Log, 'readChanges'>
  logger: Logger
}

const LAST_WAIT_MS = 5_000
const RETRY_MS = 500

/** Tells a host's listeners of what is written, so that they can neither delay nor break it. */
export function createListeners({ onMessage, onChange, bus, log, logger }: ListenersOptions) {
  /** Of each chat that is being followed, when all that was written so far is told. */
  const followed = new Map<string, Promise<void>>()
  const running = new Set<Promise<void>>()
  let isStopped = false

  const unsubscribe = onMessage || onChange ? bus.subscribe('changes', hear) : () => {}

  /** What another node has published, it tells its own host. */
  function hear(written: Written[], origin: Origin): void {
    if (origin === 'here') written.forEach(follow)
  }

  /** Tells of what was written to a chat behind all that was written before. */
  function follow({ chatId, range, changes }: Written): void {
    if (!range) return
    const before = followed.get(chatId) ?? Promise.resolve()
    const told = before.then(async () => {
      for (const change of changes ?? (await read(chatId, range))) begin(change)
    })
    followed.set(chatId, told)
    void told.then(() => {
      if (followed.get(chatId) === told) followed.delete(chatId)
    })
  }

  async function read(chatId: string, { after, through }: Range): Promise<LoggedChange[]> {
    while (!isStopped) {
      try {
        return await log.readChanges(chatId, after, through - after)
      } catch (error) {
        logger.warn({ err: error, chatId, after, through }, 'changes could not be read for the host yet')
        await sleep(RETRY_MS)
      }
    }
    return []
  }

  /** Calls the listeners in a turn of the loop of their own; nobody waits for them but the stop. */
  function begin(change: LoggedChange): void {
    const call = new Promise(setImmediate)
      .then(() =>
        Promise.all([
          change.kind === 'message_created' && change.message && onMessage?.(change.message),
          onChange?.(toChange(change)),
        ]),
      )
      .then(
        () => {},
        (error) => logger.error({ err: error, chatId: change.chatId }, '❌ a listener of the host broke'),
      )
    running.add(call)
    void call.then(() => running.delete(call))
  }

  return {
    /** Waits, not for ever, for what was told and is not done. */
    async stop(): Promise<void> {
      unsubscribe()
      const done = Promise.all(followed.values()).then(() => Promise.all(running))
      await Promise.race([done, sleep(LAST_WAIT_MS, undefined, { ref: false })])
      isStopped = true
    },
  }
}
