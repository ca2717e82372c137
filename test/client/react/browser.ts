import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { type Browser, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'
import { packageRoot } from '../../../services/package-root.js'
import type { Service } from '../../helper.js'

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-sync',
  // A page that the test answers itself counts as one of the internet, which may not reach this machine.
  '--disable-features=LocalNetworkAccessChecks',
]
const PATIENCE_MS = 30_000

/** Skips a test, and says so, where there is no browser. */
export const needsChromium = existsSync(CHROMIUM) ? {} : { skip: `no Chromium at ${CHROMIUM}; CHROMIUM names another` }

/** Which of the two the hooks run on. */
export type Renderer = 'react' | 'preact'

const PREACT: Record<string, string> = {
  react: 'preact/compat',
  'react-dom': 'preact/compat',
  'react-dom/client': 'preact/compat/client',
  'react/jsx-runtime': 'preact/jsx-runtime',
  'react/jsx-dev-runtime': 'preact/jsx-runtime',
}

export const root = packageRoot()
const client = { 'chat-socket-client': 'client/src/index.ts', 'chat-socket-client/react': 'client/src/react.ts' }

/** The client by its package's name, from its source; and Preact in the place of React where that is asked for. */
function names(renderer: Renderer): Plugin {
  return {
    name: 'names',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^chat-socket-client(\/react)?$/ }, ({ path }) => ({
        path: join(root, client[path as keyof typeof client]),
      }))
      if (renderer === 'preact') {
        onResolve({ filter: /^react(-dom)?(\/.*)?$/ }, ({ path, kind }) =>
          resolve(PREACT[path] ?? path, { kind, resolveDir: root }),
        )
      }
    },
  }
}

/** A script for the browser out of a source with imports and JSX, in React's development build: StrictMode does nothing in the other. */
export async function bundle(source: string, renderer: Renderer = 'react'): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: join(root, 'test/client/react'), loader: 'tsx' },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"development"' },
    plugins: [names(renderer)],
    logLevel: 'error',
  })
  return outputFiles[0]?.text ?? ''
}

/** A browser that ends with the test. */
export async function launch(t: Test): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS })
  t.teardown(() => browser.close())
  return browser
}

/** A page of the service's origin with this script in it, and what it has complained of. */
export async function open(
  t: Test,
  browser: Browser,
  service: Service,
  script: string,
): Promise<{ page: Page; faults: string[] }> {
  const context = await browser.newContext()
  t.teardown(() => context.close())
  const page = await context.newPage()
  page.setDefaultTimeout(PATIENCE_MS)
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text())
  })
  await page.route('**/test/**', (route) => {
    const isScript = route.request().url().endsWith('.js')
    const html = `<!doctype html><html lang="en"><title>A test</title><link rel="icon" href="data:,"><div id="app"></div><script type="module" src="/test/page.js"></script></html>`
    return route.fulfill({
      body: isScript ? script : html,
      contentType: `${isScript ? 'text/javascript' : 'text/html'}; charset=utf-8`,
    })
  })
  await page.goto(`${service.url}/test/page`)
  return { page, faults }
}
