import { toEvent } from '../packets.js'
import { type Rule, refuseWith } from '../proxy.js'
import type { Scenario } from '../scenario.js'
import { must, type Stage } from '../stage.js'

const PAGE = 2

/** Has `sync` answer in pages of two changes. */
const smallPages: Rule = {
  from: 'client',
  of: 'sync',
  times: 1_000,
  take(packet, link) {
    if (packet.kind === 'event') link.toServer(toEvent('sync', { ...packet.payload, limit: PAGE }, packet.id))
  },
}

/** Three messages that are known, and then the connection taken away while something happens. */
async function awayWhile(stage: Stage, happens: (ids: string[]) => Promise<unknown>): Promise<void> {
  await stage.start()
  const ids: string[] = []
  for (const content of ['one', 'two', 'three']) ids.push((await stage.post(stage.other, content)).id)
  await stage.settle()
  await stage.away(() => happens(ids))
}

const first = (ids: string[]): string => ids[0] ?? ''

/** What happened while the client was away, and how it is caught up with. */
export const SYNCING: Scenario[] = [
  {
    name: 'away-messages',
    law: 'What was sent while one was away is there when one is back.',
    async play(stage) {
      await awayWhile(stage, async () => {
        for (const content of ['four', 'five', 'six']) await stage.post(stage.other, content)
      })
      await stage.settle()
    },
  },
  {
    name: 'away-edit',
    law: '`sync` brings edits of what one has already.',
    async play(stage) {
      await awayWhile(stage, (ids) => stage.edit(stage.other, first(ids), 'one, edited'))
      await stage.settle()
    },
  },
  {
    name: 'away-reaction',
    law: '`sync` brings reactions to what one has already.',
    async play(stage) {
      await awayWhile(stage, (ids) => stage.react(stage.other, first(ids), '👍'))
      await stage.settle()
    },
  },
  {
    name: 'away-deleted',
    law: '`sync` brings what was deleted.',
    async play(stage) {
      await awayWhile(stage, (ids) => stage.remove(stage.other, first(ids)))
      await stage.settle()
    },
  },
  {
    name: 'away-expired',
    law: '`sync` brings what has expired.',
    async play(stage) {
      await awayWhile(stage, () => stage.service.expire(stage.chatId, 2))
      await stage.settle()
    },
  },
  {
    name: 'away-removed',
    law: 'A chat that the new session does not name is one that one is no longer in.',
    async play(stage) {
      await awayWhile(stage, () => stage.removeMember())
      await stage.settle()
    },
  },
  {
    name: 'reset',
    law: '`reset` means that what one has of the chat counts no more: it is loaded anew.',
    async play(stage) {
      await awayWhile(stage, async () => {
        await stage.removeMember()
        await stage.post(stage.other, 'behind the back')
        await stage.addMember()
        await stage.post(stage.other, 'five')
      })
      await stage.settle()
      await stage.post(stage.other, 'six')
      await stage.settle()
    },
  },
  {
    name: 'gone',
    law: '`gone` means that one is no longer in the chat.',
    async play(stage) {
      await stage.start()
      await stage.post(stage.other, 'one')
      await stage.settle()
      // What would tell of the removal is lost: only the answer is left.
      const hidden = stage.rule({ from: 'server', of: 'chat_removed', take() {} })
      const removed = stage.rule({
        from: 'client',
        of: 'sync',
        async take(packet, link) {
          await stage.removeMember()
          await hidden
          link.toServer(packet.text)
        },
      })
      await stage.away(() => stage.post(stage.other, 'two'))
      await Promise.all([removed, stage.until(({ chats }) => (chats[stage.chatId] ? 'the chat is still there' : null))])
    },
  },
  {
    name: 'pages',
    law: 'While there is more, `sync` is asked again, from `through`.',
    async play(stage) {
      await awayWhile(stage, async (ids) => {
        await stage.edit(stage.other, first(ids), 'one, edited')
        for (const content of ['four', 'five', 'six', 'seven', 'eight']) await stage.post(stage.other, content)
        await stage.edit(stage.other, ids[1] ?? '', 'two, edited')
        // Pages are small from before the client comes back.
        void stage.proxy.rule(smallPages)
      })
      await stage.settle()
      must(stage.proxy.heard('sync').length >= 3, 'everything came in one page')
    },
  },
  {
    name: 'seam',
    law: 'What is told live while `sync` is under way is neither lost nor shown twice.',
    async play(stage) {
      let seam: Promise<void> | undefined
      await awayWhile(stage, async () => {
        await stage.post(stage.other, 'four')
        seam = stage.rule({
          from: 'server',
          of: 'ack:sync',
          async take(packet, link) {
            const live = stage.rule({
              from: 'server',
              of: 'new_message',
              take: (event, current) => current.toClient(event.text),
            })
            await stage.post(stage.other, 'five')
            await live
            link.toClient(packet.text)
          },
        })
      })
      await seam
      await stage.settle()
    },
  },
  {
    name: 'sync-refused',
    law: 'A `sync` that is refused for now is asked again.',
    async play(stage) {
      let refused: Promise<void> | undefined
      const error = { code: 'RATE_LIMITED', message: 'Wait.', retryable: true, retryAfterMs: 50 }
      await awayWhile(stage, async () => {
        await stage.post(stage.other, 'four')
        refused = stage.rule({
          from: 'client',
          of: 'sync',
          take: refuseWith(error),
        })
      })
      await refused
      await stage.settle()
    },
  },
  {
    name: 'sync-cut',
    law: 'A `sync` whose answer was lost with the connection is asked again.',
    async play(stage) {
      let lost: Promise<void> | undefined
      await awayWhile(stage, async () => {
        await stage.post(stage.other, 'four')
        lost = stage.rule({ from: 'server', of: 'ack:sync', take: (_packet, link) => link.cut() })
      })
      await lost
      await stage.settle()
    },
  },
]
