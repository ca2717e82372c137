import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { build as bundle } from 'esbuild'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'
import type { ChatClient, createChatClient } from '../../client/src/index.js'

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']

/** Options of a test that a browser is needed for. */
export const needsChromium = existsSync(CHROMIUM) ? {} : { skip: `no Chromium at ${CHROMIUM}; CHROMIUM names another` }

declare global {
  /** The client's package, as a page's script has it. */
  var chat: { createChatClient: typeof createChatClient }
  /** The client of a page. */
  var client: ChatClient
}

/** A browser that ends with the test. */
export async function launch(t: Test): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS })
  t.teardown(() => browser.close())
  return browser
}

let script: Promise<string> | undefined

async function bundleClient(): Promise<string> {
  const entry = resolve(import.meta.dirname, '../../client/src/index.js')
  const options = { bundle: true, write: false, format: 'iife', globalName: 'chat', target: 'es2022' } as const
  const { outputFiles } = await bundle({ ...options, entryPoints: [entry] })
  return outputFiles[0]?.text ?? ''
}

/** Serves an empty page with the client in it, whether or not the service runs; answers where. From the loopback: a page that a test makes up may not speak to it. */
export async function servePage(t: Test, url: string, token: string): Promise<string> {
  script ??= bundleClient()
  const body = `<!doctype html><meta charset="utf-8"><title>A page</title><script>${(await script).replaceAll('</script', '<\\/script')}
    globalThis.client = chat.createChatClient({
      url: ${JSON.stringify(url)},
      getToken: () => ${JSON.stringify(token)},
      socket: { transports: ['websocket'], reconnectionDelay: 50, reconnectionDelayMax: 300 },
    })
  </script>`
  const server = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(body))
  t.teardown(() => server.close())
  t.teardown(() => server.closeAllConnections())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

/** Opens the page in a new tab; answers it once it is online. */
export async function openPage(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage()
  page.setDefaultTimeout(40_000)
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (message) => faults.push(message.text()))
  await page.goto(url)
  await isOnline(page).catch(async (error) => {
    const state = await page.evaluate(() => JSON.stringify(client.connection.get()))
    throw new Error(`${state} ${faults.join('\n')}`, { cause: error })
  })
  return page
}

/** Settles when something holds in a page; asked often, also where nothing is painted. */
export const holds = async <A>(page: Page, test: (given: A) => boolean, given: A): Promise<void> => {
  await page.waitForFunction(test as (given: unknown) => boolean, given, { polling: 50 })
}

export const isOnline = (page: Page) => holds(page, () => client.connection.get().state === 'online', null)

/** Has a page write; answers when it is shown. */
export const write = (page: Page, chatId: string, lines: string[]): Promise<void> =>
  page.evaluate(
    ([id, all]) => {
      for (const content of all) client.room(id).send({ content })
    },
    [chatId, lines] as const,
  )

/** Settles when a page shows that a line waits. */
export const waits = (page: Page, line: string) =>
  holds(page, (content) => client.outbox.get().some(({ draft }) => draft.content === content), line)

/** Settles when a page shows that nothing waits. */
export const isEmpty = (page: Page) => holds(page, () => client.outbox.get().length === 0, null)
