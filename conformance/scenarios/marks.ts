import type { Scenario } from '../scenario.js'
import { must, type Stage } from '../stage.js'

async function withThree(stage: Stage): Promise<void> {
  await stage.start()
  for (const content of ['one', 'two', 'three']) await stage.post(stage.other, content)
  await stage.settle()
}

const readTo = (stage: Stage, upToSeq: number) => stage.client.order('read', { chatId: stage.chatId, upToSeq })

/** What one has read, here and on other devices. */
export const MARKS: Scenario[] = [
  {
    name: 'read',
    law: 'What one reads is told to the server, and is unread no more.',
    async play(stage) {
      await withThree(stage)
      await readTo(stage, 2)
      const truth = await stage.settle()
      must(truth?.lastReadSeq === 2, 'the mark has not come to the server')
    },
  },
  {
    name: 'read-lost',
    law: 'A mark that was under way when the connection broke is told again.',
    async play(stage) {
      await withThree(stage)
      const lost = stage.rule({ from: 'client', of: 'mark_as_read', take: (_packet, link) => link.cut() })
      await readTo(stage, 3)
      await lost
      const truth = await stage.settle()
      must(truth?.lastReadSeq === 3, 'the mark has not come to the server')
    },
  },
  {
    name: 'read-away',
    law: 'A mark that was made without a connection is told when there is one.',
    async play(stage) {
      await withThree(stage)
      await stage.away(() => readTo(stage, 3))
      const truth = await stage.settle()
      must(truth?.lastReadSeq === 3, 'the mark has not come to the server')
    },
  },
  {
    name: 'read-elsewhere',
    law: 'What one reads on another device is read here, too.',
    async play(stage) {
      await withThree(stage)
      await stage.read(stage.me, 2)
      await stage.settle()
    },
  },
  {
    name: 'read-elsewhere-away',
    law: 'What one has read on another device meanwhile is read here when one is back.',
    async play(stage) {
      await withThree(stage)
      await stage.away(() => stage.read(stage.me, 2))
      await stage.settle()
    },
  },
  {
    name: 'mark-back',
    law: 'A mark never goes back.',
    async play(stage) {
      await withThree(stage)
      await stage.read(stage.me, 3)
      await stage.settle()
      stage.proxy.tell('messages_read', { chatId: stage.chatId, userId: stage.me, lastReadSeq: 1 })
      await stage.post(stage.other, 'four')
      await stage.settle()
    },
  },
  {
    name: 'mark-of-others',
    law: 'How far others have read is no mark of one’s own.',
    async play(stage) {
      await withThree(stage)
      stage.proxy.tell('messages_read', { chatId: stage.chatId, userId: stage.other, lastReadSeq: 3 })
      await stage.post(stage.other, 'four')
      await stage.settle()
    },
  },
  {
    name: 'second-device',
    law: 'What one sends on another device is shown here, is not unread, and moves the mark.',
    async play(stage) {
      await withThree(stage)
      await stage.post(stage.me, 'of another device')
      await stage.post(stage.other, 'five')
      const truth = await stage.settle()
      must(truth?.lastReadSeq === 4, "one's own message has not moved the mark")
    },
  },
]
