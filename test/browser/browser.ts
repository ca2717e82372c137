import { existsSync } from 'node:fs'
import axe from 'axe-core'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'
import type { Service } from '../helper.js'

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const PATIENCE_MS = 30_000
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** On a machine without Chromium a test skips and says so. */
export const needsChromium = existsSync(CHROMIUM) ? {} : { skip: `no Chromium at ${CHROMIUM}; CHROMIUM names another` }

/** A browser that ends with the test. */
export async function launch(t: Test): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS })
  t.teardown(() => browser.close())
  return browser
}

export interface OpenOptions extends BrowserContextOptions {
  /** Who has signed in; nobody where it is left out. */
  as?: string
  /** Runs before the page's own scripts. */
  script?: string
}

/** Opens the page in a context of its own and gathers what a browser complains of: errors, refused requests, breaches of the policy. */
export async function open(
  t: Test,
  browser: Browser,
  service: Service,
  { as, script = '', ...options }: OpenOptions = {},
) {
  const signIn = as === undefined ? '' : `sessionStorage.setItem('token', ${JSON.stringify(service.token(as))});`
  return visit(t, browser, service.url, { ...options, script: signIn + script })
}

/** Opens any page so; nobody signs in. */
export async function visit(
  t: Test,
  browser: Browser,
  url: string,
  { script = '', ...options }: Omit<OpenOptions, 'as'> = {},
) {
  const context = await browser.newContext({ viewport: { width: 1_000, height: 800 }, locale: 'en', ...options })
  t.teardown(() => context.close())
  context.setDefaultTimeout(PATIENCE_MS)
  const page = await context.newPage()
  const faults: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text())
  })
  page.on('pageerror', (error) => faults.push(String(error)))
  if (script !== '') await page.addInitScript(script)
  await page.goto(url)
  return { page, faults, context }
}

interface Violation {
  id: string
  nodes: { target: string[]; failureSummary: string }[]
}

/** What axe has against the page as it is now, at any level. */
export async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const found: { violations: Violation[] } = await page.evaluate('axe.run()')
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
  )
}
