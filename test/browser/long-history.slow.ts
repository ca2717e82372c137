import t from 'tap'
import { build } from '../helper.js'
import { launch, needsChromium, open } from './browser.js'
import { fill } from './fill.js'
import { atEnd, holds, messageAt, nodes } from './history-page.js'

const COUNT = 100_000
const PAGE_MESSAGES = 50
/** Of all pages that are loaded, each so-manieth is measured. */
const LOOK_EVERY = 20

/** Up to where pages are loaded: all of them with `--all`, a twentieth of them otherwise. */
const LAST = process.argv.includes('--all') ? 1 : COUNT - COUNT / 20

t.setTimeout(1_800_000)

t.test('a history of 100,000 messages, page after page', needsChromium, async (t) => {
  const browser = await launch(t)
  const service = await build(t, { web: true })
  const founders = ['alice', 'bob', 'carol']
  const { chatId } = await service.app.chat.log.createChat({ type: 'group', title: 'Crew', owner: 'alice', founders })
  await fill(service, { chatId, count: COUNT, senders: ['bob', 'bob', 'carol', 'alice'], readUpTo: COUNT })
  const { page, faults } = await open(t, browser, service, { as: 'alice' })
  await messageAt(page, COUNT).waitFor()
  await holds(page, atEnd)

  // Upwards as fast as pages come; what is in view at each look stands still while the next come.
  let [first, most, worstPx, looks] = [COUNT, 0, 0, 0]
  while (first > LAST) {
    const seen = await page.evaluate<{ first: number; movedPx: number }>(`(async () => {
      const history = document.querySelector('.history')
      const frame = () => new Promise((resolve) => requestAnimationFrame(() => resolve()))
      const first = () => Number(document.querySelector('.message').dataset.seq)
      const goal = Math.max(1, first() - ${PAGE_MESSAGES * LOOK_EVERY})
      while (first() > goal) {
        history.scrollTop = 0
        await frame()
      }
      history.scrollTop = Math.min(history.scrollTop, 500)
      const top = history.getBoundingClientRect().top
      const row = [...document.querySelectorAll('.message')].find((row) => row.getBoundingClientRect().bottom > top)
      const before = row.getBoundingClientRect().top
      const oldest = first()
      for (let i = 0; i < 60 && first() === oldest; i++) await frame()
      await frame()
      return { first: first(), movedPx: Math.abs(row.getBoundingClientRect().top - before) }
    })()`)
    first = seen.first
    worstPx = Math.max(worstPx, seen.movedPx)
    most = Math.max(most, await nodes(page))
    looks += 1
  }
  t.ok(worstPx <= 1, `what is in view moved by ${worstPx} px at most, at ${looks} looks`)
  t.ok(most <= 200, `${most} messages in the page at most`)

  await page.getByRole('button', { name: 'To the latest message' }).click()
  await messageAt(page, COUNT).waitFor()
  await holds(page, atEnd)
  t.ok((await nodes(page)) <= 200)
  t.same(faults, [])
})
