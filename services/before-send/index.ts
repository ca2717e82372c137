import { ChatError } from '../../contract/errors.js'
import type { User } from '../../contract/shapes.js'
import type { Authorize, Call, Replacement } from '../binder/index.js'
import type { UserCaller } from '../hub/callers.js'
import type { Log } from '../log/index.js'
import type { Logger } from '../logger.js'
import type { Metrics } from '../metrics.js'
import { toTime } from '../time.js'
import type { Ask } from './ask.js'
import { createLines } from './lines.js'
import { readVerdict, type Verdict } from './verdict.js'

export { createAsk } from './ask.js'

/** What becomes of a message that nobody could judge: it is stored, or refused until somebody can. */
export type OnFailure = 'open' | 'closed'

export interface BeforeSendOptions {
  ask: Ask['ask']
  log: Pick<Log, 'isSent'>
  onFailure: OnFailure
  maxMessageChars: number
  logger: Pick<Logger, 'warn' | 'info'>
  metrics: Pick<Metrics, 'verdicts'>
}

/** What is asked about: a message that is about to be stored, or changed. */
interface Question {
  command: 'send_message' | 'edit_message'
  user: User
  /** Null for a message that is edited: its `messageId` says where it is. */
  chatId: string | null
  messageId: string | null
  content: string | null
  metadata: Record<string, unknown> | null
  replyToId: string | null
  clientMessageId: string | null
  /** The uploads that it is to carry. */
  attachmentIds: string[]
}

const RETRY_MS = 1_000

/** Makes the hook that asks the operator's service about what users write; services, also for users, are trusted. */
export function createBeforeSend(options: BeforeSendOptions): Authorize {
  const { ask, log, onFailure, maxMessageChars, logger, metrics } = options
  const keepOrder = createLines()
  let isFailing = false

  async function judge(data: Question): Promise<Replacement | undefined> {
    let verdict: Verdict
    try {
      verdict = readVerdict(await ask({ type: 'message.before_send', timestamp: toTime(Date.now()), data }))
      if (verdict.action === 'replace') mustFit(verdict.content)
    } catch (error) {
      return fail(error)
    }
    if (isFailing) logger.info({}, 'BEFORE_SEND_URL answers again')
    isFailing = false
    metrics.verdicts.inc({ verdict: verdict.action })
    if (verdict.action === 'allow') return undefined
    if (verdict.action === 'refuse') throw refused(verdict.reason)
    const { content, metadata } = verdict
    return { ...(content !== undefined && { content }), ...(metadata !== undefined && { metadata }) }
  }

  function fail(error: unknown): undefined {
    metrics.verdicts.inc({ verdict: 'failed' })
    if (!isFailing) logger.warn({ err: error, onFailure }, '❌ BEFORE_SEND_URL gives no answer that counts')
    isFailing = true
    if (onFailure === 'open') return undefined
    throw new ChatError('UNAVAILABLE', {
      message: 'The message could not be checked; try again soon.',
      retryAfterMs: RETRY_MS,
    })
  }

  function mustFit(content = ''): void {
    if ([...content].length > maxMessageChars) throw new Error(`the answer has more than ${maxMessageChars} characters`)
  }

  async function judgeSend({ user, userId }: UserCaller, input: SendInput): Promise<Replacement | undefined> {
    const { chatId, content = null, metadata = null, replyToId = null, clientMessageId = null } = input
    const { attachmentIds = [] } = input
    // A retry finds what it stored, or that it is none; whether it was to be stored is settled.
    if (clientMessageId !== null && (await log.isSent(chatId, userId, clientMessageId))) return undefined
    const command = 'send_message'
    return judge({
      command,
      user,
      chatId,
      messageId: null,
      content,
      metadata,
      replyToId,
      clientMessageId,
      attachmentIds,
    })
  }

  return async function beforeSend(call) {
    const { caller, command, input } = call
    if (caller.kind !== 'user' || caller.isService) return undefined
    if (command === 'send_message') {
      return keepOrder(JSON.stringify([input.chatId, caller.userId]), () => judgeSend(caller, input))
    }
    if (command !== 'edit_message') return undefined
    const { messageId, content = null, metadata = null } = input
    const none = { chatId: null, replyToId: null, clientMessageId: null, attachmentIds: [] }
    return judge({ command, user: caller.user, messageId, content, metadata, ...none })
  }
}

type SendInput = Extract<Call, { command: 'send_message' }>['input']

const refused = (reason: string | undefined) =>
  new ChatError('FORBIDDEN', {
    message: reason ?? 'The message was refused.',
    details: { reason: 'refused', ...(reason !== undefined && { text: reason }) },
  })

/** Asks two hooks in turn; the second sees what the first has put in place. */
export function inTurn(first: Authorize | undefined, second: Authorize | undefined): Authorize | undefined {
  if (!first || !second) return first ?? second
  return async (call) => {
    const replacement = await first(call)
    const again = await second(replacement ? withReplacement(call, replacement) : call)
    return replacement || again ? { ...replacement, ...again } : undefined
  }
}

function withReplacement(call: Call, { content, ...others }: Replacement): Call {
  const said = content === undefined ? {} : { content }
  if (call.command === 'send_message') return { ...call, input: { ...call.input, ...said, ...others } }
  if (call.command === 'edit_message') return { ...call, input: { ...call.input, ...said, ...others } }
  return call
}
