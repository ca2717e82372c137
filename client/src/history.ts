import type { History, Store } from './api.js'
import type { Command, Link } from './connection.js'
import { ChatClientError, type ClientErrorBody, localError } from './errors.js'
import { append, EMPTY, join, type Page, place, reducePage } from './reduce-page.js'
import { createSource, derive } from './store.js'
import type { Change, Input, Message, Output } from './wire.js'

const PAGE_MESSAGES = 50
const RETRY_MS = 1_000

export interface HistoryPort {
  command: Command
  link: Pick<Link, 'ready'>
  /** A page of history has come, read at some revision of the chat. */
  onPage(page: Output<'get_messages'>): void
}

type Asked = Omit<Input<'get_messages'>, 'chatId' | 'limit'>
type Way = 'latest' | 'before' | 'after' | 'around'

/** The messages of a chat that are known: one stretch without a hole, and the revision up to which it is right. */
export function createHistory(chatId: string, { command, link, onPage }: HistoryPort) {
  const page = createSource<Page>(EMPTY)
  /** One's own that were acknowledged before those in between have come. */
  const early = createSource<readonly Message[]>([])
  const loading = createSource<{ isLoading: boolean; error: ClientErrorBody | null }>({ isLoading: false, error: null })
  let revision: number | null = null
  /** Whether somebody looks at it: it is read as soon as there is something to be seen. */
  let isWanted = false
  let running: { way: Way; promise: Promise<void> } | null = null

  const history: Store<History> = derive([page, loading], ({ hasBefore, hasAfter }, { isLoading, error }) => ({
    hasBefore,
    hasAfter,
    isLoading,
    error,
  }))

  /** Loads a page; what was being loaded before is not waited for. It goes on over lost connections, and failures stand in `history`. */
  function load(way: Way, asked: Asked, isWhole = false): Promise<void> {
    const own = { way, promise: Promise.resolve() }
    isWanted = true
    running = own
    loading.set({ isLoading: true, error: null })
    own.promise = fetchPage(asked, () => running === own).then(
      (answer) => {
        if (running !== own || !answer) return
        running = null
        take(answer, isWhole)
        loading.set({ isLoading: false, error: null })
      },
      (error) => {
        if (running !== own) return
        running = null
        loading.set({ isLoading: false, error })
      },
    )
    return own.promise
  }

  async function fetchPage(asked: Asked, isCurrent: () => boolean): Promise<Output<'get_messages'> | undefined> {
    while (isCurrent()) {
      await link.ready()
      try {
        return await command('get_messages', { chatId, limit: PAGE_MESSAGES, ...asked })
      } catch (error) {
        if (!(error instanceof ChatClientError && error.retryable)) throw error
        const waitMs = error.retryAfterMs ?? RETRY_MS
        if (error.code !== 'OFFLINE') await new Promise((resolve) => setTimeout(resolve, waitMs))
      }
    }
    return undefined
  }

  function take(answer: Output<'get_messages'>, isWhole: boolean): void {
    const isFirst = isWhole || revision === null
    page.set(isFirst ? { ...answer, messages: answer.messages } : join(page.get(), answer))
    // What was read later, or earlier, than the rest: from the earlier of the two on all changes are taken in once more, where they do no harm.
    revision = isFirst ? answer.revision : Math.min(revision ?? answer.revision, answer.revision)
    prune()
    onPage(answer)
  }

  function prune(): void {
    const last = page.get().messages.at(-1)?.seq ?? 0
    if (early.get().some(({ seq }) => seq <= last)) early.set(early.get().filter(({ seq }) => seq > last))
  }

  const alreadyOn = (...ways: Way[]) => (running && ways.includes(running.way) ? running.promise : null)
  const bySeq = (list: readonly Message[]) => [...list].sort((a, b) => a.seq - b.seq)

  return {
    page,
    early,
    history,
    revision: (): number | null => revision,

    latest(): Promise<void> {
      const isThere = revision !== null && !page.get().hasAfter && !running
      return isThere ? Promise.resolve() : (alreadyOn('latest') ?? load('latest', {}))
    },

    before(): Promise<void> {
      const first = page.get().messages[0]
      if (running) return running.promise
      return first && page.get().hasBefore ? load('before', { beforeSeq: first.seq }) : Promise.resolve()
    },

    after(): Promise<void> {
      const last = page.get().messages.at(-1)
      if (running) return running.promise
      return last && page.get().hasAfter ? load('after', { afterSeq: last.seq }) : Promise.resolve()
    },

    around: (target: number | string): Promise<void> =>
      load('around', typeof target === 'number' ? { aroundSeq: target } : { aroundMessageId: target }),

    /** There is something to be seen, perhaps again. */
    begin(): void {
      if (isWanted && revision === null && !running) void load('latest', {})
    },

    /** The end of the chat is read anew, in place of all that is here. */
    reload(): Promise<void> {
      if (revision === null) return running?.promise ?? Promise.resolve()
      revision = null
      return load('latest', {}, true)
    },

    /** What changed above the revision that is here. */
    advance(changes: readonly Change[], through: number, isLive: boolean): void {
      const from = revision
      if (from === null || through <= from) return
      const fresh = changes.filter((change) => change.revision > from)
      page.set(reducePage(page.get(), fresh, isLive))
      revision = through
      prune()
    },

    /** A message as an answer has it, which may come before its event. */
    offer(message: Message): void {
      const { messages, hasAfter, ...rest } = page.get()
      const next = place(messages, message)
      if (next !== messages) page.set({ ...rest, hasAfter, messages: next })
      if (revision === null || hasAfter || message.seq <= (messages.at(-1)?.seq ?? 0)) return
      const longer = messages.length > 0 ? append(messages, message) : messages
      if (longer !== messages) page.set({ ...rest, hasAfter, messages: longer })
      else if (early.get().every(({ id }) => id !== message.id)) early.set(bySeq([...early.get(), message]))
      prune()
    },

    /** The messages from a seq to the end; null where not all of them are here. */
    from(seq: number): readonly Message[] | null {
      const { messages, hasAfter, hasBefore } = page.get()
      if (revision === null || hasAfter || (hasBefore && (messages[0]?.seq ?? Infinity) > seq)) return null
      return messages
    },

    /** Changes messages as they are told outside of the log. */
    rewrite(change: (message: Message) => Message): void {
      const { messages, ...rest } = page.get()
      const next = messages.map(change)
      if (next.some((message, i) => message !== messages[i])) page.set({ ...rest, messages: next })
    },

    /** One may see nothing of it any more. */
    clear(): void {
      running = null
      revision = null
      page.set(EMPTY)
      early.set([])
      loading.set({ isLoading: false, error: localError('NOT_FOUND', 'You are not in this chat.', false) })
    },
  }
}
