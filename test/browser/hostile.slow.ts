import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import t from 'tap'
import { build, connect, must, until } from '../helper.js'

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']
const PATIENCE_MS = 60_000

t.setTimeout(300_000)

const needsChromium = existsSync(CHROMIUM) ? {} : { skip: `no Chromium at ${CHROMIUM}; CHROMIUM names another` }

/** Each would call `hurt` in a page that takes text for markup, for a script, a style or an address. */
const PAYLOADS = [
  '<script>hurt()</script>',
  '<ScRiPt>hurt()</sCrIpT>',
  '<script src="data:text/javascript,hurt()"></script>',
  '"><script>hurt()</script>',
  "'><script>hurt()</script>",
  '</span><script>hurt()</script>',
  '</textarea><script>hurt()</script>',
  '</title><script>hurt()</script>',
  '</style><script>hurt()</script>',
  '--><script>hurt()</script>',
  ']]><script>hurt()</script>',
  '<img src=x onerror=hurt()>',
  '<img src=x onerror="hurt()"',
  '<svg onload=hurt()>',
  '<svg><script>hurt()</script></svg>',
  '<svg><animate onbegin=hurt() attributeName=x dur=1s>',
  '<math><mtext></form><form><mglyph><style></math><img src onerror=hurt()>',
  '<body onload=hurt()>',
  '<iframe src="javascript:hurt()"></iframe>',
  '<iframe srcdoc="<script>parent.hurt()</script>"></iframe>',
  '<object data="data:text/html,<script>hurt()</script>"></object>',
  '<a href="javascript:hurt()" autofocus onfocus=hurt()>a</a>',
  '<details open ontoggle=hurt()>',
  '<video><source onerror=hurt()></video>',
  '<input autofocus onfocus=hurt()>',
  '<meta http-equiv="refresh" content="0;url=javascript:hurt()">',
  '<base href="https://evil.example/">',
  '<link rel=stylesheet href="data:text/css,*{display:none}">',
  '<style>*{display:none}</style>',
  'javascript:hurt()',
  '{{constructor.constructor("hurt()")()}}',
  '$' + '{hurt()}',
  '&lt;script&gt;hurt()&lt;/script&gt;',
  '\u2028<script>hurt()</script>\u2029',
  '\u202e<script>hurt()</script>',
  '<scr\u200bipt>hurt()</script>',
]

t.test('what users wrote is text', needsChromium, async (t) => {
  const service = await build(t, { nodeEnv: 'development', demoData: false, web: true, jwtSecret: undefined })
  const people = [
    { userId: 'alice', name: PAYLOADS[11] as string },
    { userId: 'bob', name: PAYLOADS[0] as string },
  ]
  for (const { userId, name } of people)
    await service.call('PUT', `/users/${userId}`, { as: 'service', body: { name } })
  const token = (userId: string) => service.app.auth.sign({ sub: userId, exp: Math.floor(Date.now() / 1_000) + 600 })
  const { socket } = await connect(t, service, 'alice', { auth: { token: token('alice') } })
  const title = PAYLOADS[5] as string
  const { chat } = await must(socket, 'create_chat', { type: 'group', title, memberIds: ['bob'] })
  for (const [i, content] of PAYLOADS.entries()) {
    const { message } = await must(socket, 'send_message', { chatId: chat.chatId, content, metadata: { content } })
    t.strictSame([message.content, message.metadata], [content, { content }], `payload ${i} is as it was written`)
  }

  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS })
  t.teardown(() => browser.close())
  const page = await browser.newPage()
  page.setDefaultTimeout(PATIENCE_MS)
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('404')) faults.push(message.text())
  })
  await page.addInitScript(`
    globalThis.hurts = []; globalThis.violations = []
    globalThis.hurt = () => globalThis.hurts.push(1)
    addEventListener('securitypolicyviolation', (event) => globalThis.violations.push(event.violatedDirective))`)
  await page.goto(service.url)
  await page.getByLabel('Access token').fill(token('bob'))
  await page.keyboard.press('Enter')
  const seen = () => page.evaluate<string>('document.body.textContent')
  await page.locator('.chat-row').click()
  await until('all are there', async () => (await page.locator('.message').count()) === PAYLOADS.length)
  const text = await seen()
  for (const [i, payload] of [...PAYLOADS, title].entries()) t.ok(text.includes(payload), `payload ${i} is text`)
  t.same(await page.evaluate('[hurts, violations]'), [[], []], 'nothing ran, nothing was tried')
  t.same(faults, [])

  // The policy holds, too: what would get into the page by a mistake of ours does not run.
  await page.evaluate(`
    for (const markup of ['<img src=x onerror=hurt()>', '<a id=link href="javascript:hurt()">x</a>']) document.body.insertAdjacentHTML('beforeend', markup)
    for (const text of ['hurt()', 'globalThis.hurts.push(2)']) {
      const script = document.createElement('script')
      script.textContent = text
      document.body.append(script)
    }
    document.getElementById('link').click()`)
  await until('the policy was asked', async () => (await page.evaluate<number>('violations.length')) >= 4)
  t.same(await page.evaluate('hurts'), [], 'an injected script does not run')
})
