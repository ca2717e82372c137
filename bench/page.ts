import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify, { LogController } from 'fastify'
import { type Browser, chromium } from 'playwright-core'
import { serviceScope } from '../app.js'
import { run } from '../cli/run.js'

// npm run bench:page: how long after one goes to the page its first message is on the screen, with an empty cache; on localhost, by the browser's own clock.

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const ROUNDS = 5
const PATIENCE_MS = 60_000

/** Settles to the time of the first frame that has a message in it. */
const WATCH = `globalThis.shown = new Promise((resolve) => {
  new MutationObserver((_, observer) => {
    if (!document.querySelector('.message')) return
    observer.disconnect()
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now())))
  }).observe(document, { childList: true, subtree: true })
})`

await run(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'chat-page-'))
  const host = Fastify({
    pluginTimeout: PATIENCE_MS,
    logController: new LogController({ disableRequestLogging: true }),
  })
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
  try {
    const { app } = await serviceScope(host, { nodeEnv: 'development', dataDir, drainMs: 0, demoData: true })
    await host.listen({ host: '127.0.0.1', port: 0 })
    const url = `http://127.0.0.1:${(host.server.address() as AddressInfo).port}`
    const token = app.auth.sign({ sub: 'alice', exp: Math.floor(Date.now() / 1_000) + 3_600 })
    const signIn = `sessionStorage.setItem('token', ${JSON.stringify(token)});`
    for (const [what, script] of [
      ['signed in', signIn],
      ['the demo, two people', ''],
    ] as const) {
      const times: number[] = []
      for (let i = 0; i < ROUNDS; i++) times.push(await measure(browser, url, script))
      const sorted = times.toSorted((a, b) => a - b).map(Math.round)
      process.stdout.write(
        `${what}: first message after ${sorted[ROUNDS >> 1]} ms (of ${ROUNDS}: ${sorted.join(', ')})\n`,
      )
    }
  } finally {
    await browser.close()
    await host.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
})

async function measure(browser: Browser, url: string, script: string): Promise<number> {
  const context = await browser.newContext({ viewport: { width: 1_440, height: 900 }, locale: 'en' })
  try {
    const page = await context.newPage()
    page.setDefaultTimeout(PATIENCE_MS)
    await page.addInitScript(script + WATCH)
    await page.goto(url)
    return await page.evaluate<number>('shown')
  } finally {
    await context.close()
  }
}
