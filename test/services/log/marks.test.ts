import t from 'tap'
import { ChatError } from '../../../contract/errors.js'
import { createMarks } from '../../../services/log/marks.js'
import { build } from '../../helper.js'

t.test('a mark whose answer never came is told by who asks again', async (t) => {
  const { app } = await build(t)
  const { log } = app.chat
  const { chatId } = await log.createChat({ type: 'group', owner: 'alice', founders: ['alice', 'bob'] })
  for (const content of ['one', 'two']) await log.append({ chatId, senderId: 'alice', content })
  let isLost = true
  const run: typeof app.db.run = async (...args) => {
    const rows = await app.db.run(...args)
    if (!isLost) return rows as never
    isLost = false
    throw new ChatError('UNAVAILABLE', { details: { outcome: 'unknown' } })
  }
  const cleared: string[] = []
  const { markUpTo } = createMarks(Object.assign(Object.create(app.db), { run }), ({ userId }) => cleared.push(userId))
  await t.rejects(markUpTo('bob', chatId, 2), { code: 'UNAVAILABLE' })
  t.match(await markUpTo('bob', chatId, 2), [{ moved: true, state: { lastReadSeq: 2 } }], 'nobody was told before')
  t.same(cleared, ['bob'])
  t.match(await markUpTo('bob', chatId, 2), [{ moved: false }], 'once')
})
