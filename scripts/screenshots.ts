import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify, { LogController } from 'fastify'
import { type Browser, chromium } from 'playwright-core'
import { serviceScope } from '../app.js'
import { run } from '../cli/run.js'
import { LANGUAGES, SHOTS, type Shot, THEMES } from './screenshots/shots.js'
import { fill } from './screenshots/world.js'

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const PATIENCE_MS = 60_000

/** Takes the pictures of docs/screenshots, or of the folder that is named: the real page on a service of its own, in each language and theme. */
await run(async () => {
  const folder = process.argv[2] ?? 'docs/screenshots'
  const only = process.argv[3] ?? ''
  mkdirSync(folder, { recursive: true })
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
  try {
    for (const language of LANGUAGES) await takeAll(browser, language, folder, only)
  } finally {
    await browser.close()
  }
})

async function takeAll(browser: Browser, language: string, folder: string, only: string): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'chat-screenshots-'))
  const logController = new LogController({ disableRequestLogging: true })
  const host = Fastify({ pluginTimeout: PATIENCE_MS, logController })
  try {
    const settings = { nodeEnv: 'development', dataDir, drainMs: 0, demoData: true, rateLimit: 'off' } as const
    const { app } = await serviceScope(host, settings)
    await host.listen({ host: '127.0.0.1', port: 0 })
    await fill(app, language)
    const url = `http://127.0.0.1:${(host.server.address() as AddressInfo).port}`
    const token = app.auth.sign({ sub: 'alice', exp: Math.floor(Date.now() / 1_000) + 3_600 })
    for (const theme of THEMES) {
      for (const shot of SHOTS) {
        const name = `${shot.name}-${theme}-${language}.png`
        if (!name.includes(only)) continue
        await take(browser, { shot, theme, language, url, token, path: join(folder, name) })
        process.stdout.write(`${name}\n`)
      }
    }
  } finally {
    await host.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

interface Taking {
  shot: Shot
  theme: 'light' | 'dark'
  language: string
  url: string
  token: string
  path: string
}

async function take(browser: Browser, { shot, theme, language, url, token, path }: Taking): Promise<void> {
  const { width, height, who, prepare } = shot
  const isPhone = width < 600
  const context = await browser.newContext({
    viewport: { width, height },
    deviceScaleFactor: isPhone ? 2 : 1,
    hasTouch: isPhone,
    isMobile: isPhone,
    locale: language,
    colorScheme: theme,
    reducedMotion: 'reduce',
  })
  try {
    const page = await context.newPage()
    page.setDefaultTimeout(PATIENCE_MS)
    if (who !== 'demo') await page.addInitScript(`sessionStorage.setItem('token', ${JSON.stringify(token)})`)
    await page.goto(url)
    await prepare?.(page, language)
    await page.screenshot({ path })
  } finally {
    await context.close()
  }
}
