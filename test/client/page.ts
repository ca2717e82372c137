import { existsSync } from 'node:fs'
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

/** Serves an empty page with the client in it, from where the service is, whether or not that runs. */
export async function servePage(context: BrowserContext, url: string, token: string): Promise<void> {
  script ??= bundleClient()
  const body = `<!doctype html><title>A page</title><script>${(await script).replaceAll('</script', '<\\/script')}
    client = chat.createChatClient({
      getToken: () => ${JSON.stringify(token)},
      socket: { transports: ['websocket'], reconnectionDelay: 50, reconnectionDelayMax: 300 },
    })
  </script>`
  await context.route(`${url}/page`, (route) => route.fulfill({ contentType: 'text/html', body }))
}

/** Opens the page in a new tab; answers it once it is online. */
export async function openPage(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage()
  page.setDefaultTimeout(60_000)
  await page.goto(`${url}/page`)
  await isOnline(page)
  return page
}

export const isOnline = (page: Page) => page.waitForFunction(() => client.connection.get().state === 'online')

/** Has a page write; answers when it is shown. */
export const write = (page: Page, chatId: string, lines: string[]): Promise<void> =>
  page.evaluate(
    ([id, all]) => {
      for (const content of all) client.room(id).send({ content })
    },
    [chatId, lines] as const,
  )

/** Settles when a page shows so many entries that wait, and whether one is on its way. */
export const waiting = (page: Page, count: number, isSending = false) =>
  page.waitForFunction(
    ([wanted, sending]) => {
      const entries = client.outbox.get()
      return entries.length === wanted && (!sending || entries.some(({ status }) => status === 'sending'))
    },
    [count, isSending] as const,
  )
