import type { History, Room, Store } from './api.js'
import type { Command } from './command.js'
import type { Link } from './connection.js'
import { localError } from './errors.js'
import { createLoading } from './loading.js'
import type { News } from './reduce-chat.js'
import { append, EMPTY, firstOf, join, lastOf, type Page, place, reducePage } from './reduce-page.js'
import { createSource, derive } from './store.js'
import type { Message, Output } from './wire.js'

export interface HistoryPort {
  command: Command
  link: Pick<Link, 'ready' | 'isIn'>
  /** A page of history has come, read at some revision of the chat. */
  onPage(page: Output<'get_messages'>): void
}

/** The messages of a chat that are known: one stretch without a hole, and the revision up to which it is right. */
export function createHistory(chatId: string, { command, link, onPage }: HistoryPort) {
  const page = createSource<Page>(EMPTY)
  /** One's own that were acknowledged before those in between have come. */
  const early = createSource<readonly Message[]>([])
  const loading = createLoading(chatId, { command, link, take })
  const { load } = loading
  let revision: number | null = null

  const history: Store<History> = derive([page, loading.state], ({ hasBefore, hasAfter }, state) => ({
    hasBefore,
    hasAfter,
    ...state,
  }))

  function take(answer: Output<'get_messages'>, isWhole: boolean): void {
    const isFirst = isWhole || revision === null
    page.set(isFirst ? answer : join(page.get(), answer))
    // What was read later, or earlier, than the rest: from the earlier of the two on all changes are taken in once more, where they do no harm.
    revision = isFirst ? answer.revision : Math.min(revision ?? answer.revision, answer.revision)
    prune()
    onPage(answer)
  }

  function show(messages: readonly Message[]): void {
    if (messages !== page.get().messages) page.set({ ...page.get(), messages })
  }

  function prune(): void {
    const last = lastOf(page.get().messages)
    if (early.get().some(({ seq }) => seq <= last)) early.set(early.get().filter(({ seq }) => seq > last))
  }

  /** The page that follows on the message at one end, where there is more. */
  async function more(isThere: boolean, side: 'beforeSeq' | 'afterSeq', end: 0 | -1): Promise<void> {
    const running = loading.running()
    const edge = page.get().messages.at(end)
    if (running) await running.promise
    else if (edge && isThere) await load({ [side]: edge.seq })
  }

  /** What a room has of it as it is. */
  const ofRoom: Pick<Room, 'history' | 'latest' | 'before' | 'after' | 'around'> = {
    history,

    latest() {
      const running = loading.running()
      if (running?.isLatest) return running.promise
      return !running && revision !== null && !page.get().hasAfter ? Promise.resolve() : load({})
    },

    before: () => more(page.get().hasBefore, 'beforeSeq', 0),
    after: () => more(page.get().hasAfter, 'afterSeq', -1),

    around: (target) => load(typeof target === 'number' ? { aroundSeq: target } : { aroundMessageId: target }),
  }

  return {
    page,
    early,
    ofRoom,
    revision: (): number | null => revision,

    /** There is something to be seen, perhaps again. */
    begin(): void {
      if (loading.isWanted() && revision === null && !loading.running()) void load({})
    },

    /** The end of the chat is read anew, in place of all that is here. */
    reload(): Promise<void> {
      if (revision === null) return loading.running()?.promise ?? Promise.resolve()
      revision = null
      return load({}, true)
    },

    /** What changed above the revision that is here. */
    advance(changes: readonly News[], through: number, isLive: boolean): void {
      const from = revision
      if (from === null || through <= from) return
      const fresh = changes.filter((change) => change.revision > from)
      page.set(reducePage(page.get(), fresh, isLive))
      revision = through
      prune()
    },

    /** A message as an answer has it, which may come before its event. */
    offer(message: Message): void {
      const { messages, hasAfter } = page.get()
      show(place(messages, message))
      if (revision === null || hasAfter || message.seq <= lastOf(messages)) return
      // What is above a stretch without messages is not known.
      if (messages.length > 0) show(append(messages, message))
      if (early.get().every(({ id }) => id !== message.id))
        early.set([...early.get(), message].sort((a, b) => a.seq - b.seq))
      prune()
    },

    /** The messages from a seq to the end; null where not all of them are here. */
    from(seq: number): readonly Message[] | null {
      const { messages, hasAfter, hasBefore } = page.get()
      if (revision === null || hasAfter || (hasBefore && firstOf(messages) > seq)) return null
      return messages
    },

    /** Changes messages as they are told outside of the log. */
    rewrite(change: (message: Message) => Message): void {
      const { messages } = page.get()
      const next = messages.map(change)
      if (next.some((message, i) => message !== messages[i])) show(next)
    },

    /** One may see nothing of it any more. */
    clear(): void {
      revision = null
      page.set(EMPTY)
      early.set([])
      loading.stop(localError('NOT_FOUND', 'You are not in this chat.', false))
    },
  }
}
