import type { Locator, Page } from 'playwright-core'
import { type Service, until } from '../helper.js'

/** Holds when the history shows its last message. */
export const atEnd = `(() => {
  const history = document.querySelector('.history')
  return history?.querySelector('.message') && history.scrollHeight - history.scrollTop - history.clientHeight < 24
})()`

/** Waits until something holds in the page; Playwright's own way needs an `eval` that the page's policy forbids. */
export const holds = (page: Page, expression: string): Promise<void> =>
  until(expression, () => page.evaluate<boolean>(`Boolean(${expression})`))

/** The message of a seq in the open room. */
export const messageAt = (page: Page, seq: number): Locator => page.locator(`.message[data-seq="${seq}"]`)

/** How many messages are in the page. */
export const nodes = (page: Page): Promise<number> => page.locator('.message').count()

/** How far somebody has read, by the server. */
export async function readSeq({ call }: Service, chatId: string, userId: string): Promise<number> {
  return (await call('GET', `/chats/${chatId}`, { as: userId })).body.chat.lastReadSeq
}

/**
 * Scrolls up by some screens, remembers where the first message in view stands, and waits until older ones have come above it; answers its seq,
 * and how many have come.
 */
export function scrollUp(page: Page): Promise<{ seq: number; loaded: number }> {
  return page.evaluate(`(async () => {
    const history = document.querySelector('.history')
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => resolve()))
    const top = () => history.getBoundingClientRect().top
    const seqOf = (row) => Number(row.dataset.seq)
    const first = () => seqOf(document.querySelector('.message'))
    const oldest = first()
    history.scrollTop = Math.max(0, history.scrollTop - 1500)
    const row = [...document.querySelectorAll('.message')].find((row) => row.getBoundingClientRect().bottom > top())
    globalThis.held = { row, y: row.getBoundingClientRect().top }
    const until = performance.now() + 10_000
    while (first() === oldest && history.scrollTop < 600 && performance.now() < until) await frame()
    await frame()
    return { seq: seqOf(row), loaded: oldest - first() }
  })()`)
}

/** Where that message stood, and stands, in pixels from the top of the window. */
export function placeOfFirst(page: Page): Promise<[number, number]> {
  return page.evaluate(`[held.y, held.row.isConnected ? held.row.getBoundingClientRect().top : NaN]`)
}
