import type { Command } from './command.js'
import type { Link } from './connection.js'
import { ChatClientError, type ClientErrorBody } from './errors.js'
import { createSource } from './store.js'
import type { Input, Output } from './wire.js'

const PAGE_MESSAGES = 50
const RETRY_MS = 1_000

type HistoryPage = Output<'get_messages'>

export interface LoadingPort {
  command: Command
  link: Pick<Link, 'ready'>
  /** A page has come; `isWhole`: in place of all that was there. */
  take(page: HistoryPage, isWhole: boolean): void
}

/** Pages of a chat's history, one at a time. Loading goes on over lost connections; what fails for good stands in `state`. */
export function createLoading(chatId: string, { command, link, take }: LoadingPort) {
  const state = createSource<{ isLoading: boolean; error: ClientErrorBody | null }>({ isLoading: false, error: null })
  let running: { isLatest: boolean; promise: Promise<void> } | null = null
  let isWanted = false

  async function fetchPage(
    asked: Omit<Input<'get_messages'>, 'chatId'>,
    isCurrent: () => boolean,
  ): Promise<HistoryPage | undefined> {
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

  return {
    state,
    /** Whether somebody has asked for a page, ever. */
    isWanted: (): boolean => isWanted,
    /** What is being loaded. */
    running: (): typeof running => running,

    /** Loads a page; what was being loaded before is no longer waited for. */
    load(asked: Omit<Input<'get_messages'>, 'chatId'>, isWhole = false): Promise<void> {
      const own = { isLatest: Object.keys(asked).length === 0, promise: Promise.resolve() }
      isWanted = true
      running = own
      state.set({ isLoading: true, error: null })
      const finish = (page: HistoryPage | undefined, error: ClientErrorBody | null): void => {
        if (running !== own) return
        running = null
        if (page) take(page, isWhole)
        state.set({ isLoading: false, error })
      }
      own.promise = fetchPage(asked, () => running === own).then(
        (page) => finish(page, null),
        (error) => finish(undefined, error),
      )
      return own.promise
    },

    /** Nothing is loaded any more, for this reason. */
    stop(error: ClientErrorBody): void {
      running = null
      state.set({ isLoading: false, error })
    },
  }
}
