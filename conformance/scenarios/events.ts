import type { Link, Rule } from '../proxy.js'
import type { Scenario } from '../scenario.js'
import { must } from '../stage.js'

const lose: Rule['take'] = () => {}

/** What is told while the client is there. */
export const EVENTS: Scenario[] = [
  {
    name: 'repeated',
    law: 'A revision that is known already is ignored: repeats are harmless.',
    async play(stage) {
      await stage.start()
      const twice = (of: string) =>
        stage.rule({
          from: 'server',
          of,
          times: 2,
          take(packet, link) {
            link.toClient(packet.text)
            link.toClient(packet.text)
          },
        })
      const both = [twice('new_message'), twice('message_updated')]
      const { id } = await stage.post(stage.other, 'one')
      await stage.post(stage.other, 'two')
      await stage.edit(stage.other, id, 'one, edited')
      await stage.react(stage.other, id, '👍')
      await Promise.all(both)
      await stage.settle()
    },
  },
  {
    name: 'stale',
    law: 'An older revision never takes the place of a newer one.',
    async play(stage) {
      await stage.start()
      let old = ''
      let link: Link | undefined
      const { id } = await stage.post(stage.other, 'one')
      const first = stage.rule({
        from: 'server',
        of: 'message_updated',
        take(packet, current) {
          old = packet.text
          link = current
          current.toClient(old)
        },
      })
      await stage.edit(stage.other, id, 'second')
      await first
      await stage.edit(stage.other, id, 'third')
      await stage.settle()
      link?.toClient(old)
      await stage.post(stage.other, 'two')
      await stage.settle()
    },
  },
  {
    name: 'hole',
    law: 'Who misses a revision asks for it by `sync`.',
    async play(stage) {
      await stage.start()
      const lost = stage.rule({ from: 'server', of: 'new_message', take: lose })
      await stage.post(stage.other, 'one')
      await lost
      await stage.post(stage.other, 'two')
      await stage.settle()
    },
  },
  {
    name: 'lost-edit',
    law: 'A hole may be a change of something old: `sync` brings that, too.',
    async play(stage) {
      await stage.start()
      const { id } = await stage.post(stage.other, 'one')
      await stage.settle()
      const lost = stage.rule({ from: 'server', of: 'message_updated', take: lose })
      await stage.edit(stage.other, id, 'one, edited')
      await lost
      await stage.post(stage.other, 'two')
      await stage.settle()
    },
  },
  {
    name: 'swapped',
    law: 'Events that come in the wrong order are shown in the right one.',
    async play(stage) {
      await stage.start()
      const held: string[] = []
      const swapped = stage.rule({
        from: 'server',
        of: 'new_message',
        times: 2,
        take(packet, link) {
          held.unshift(packet.text)
          if (held.length === 2) held.forEach(link.toClient)
        },
      })
      await stage.post(stage.other, 'one')
      await stage.post(stage.other, 'two')
      await swapped
      await stage.settle()
    },
  },
  {
    name: 'unknown',
    law: 'Events and fields that are not known are ignored.',
    async play(stage) {
      await stage.start()
      const wider = stage.rule({
        from: 'server',
        of: 'new_message',
        take: (packet, link) => link.toClient(packet.text.replace('"content":', '"fromTomorrow":{"a":[1]},"content":')),
      })
      const known = (await stage.settle())?.revision ?? 0
      stage.proxy.tell('event_of_tomorrow', { chatId: stage.chatId, revision: known + 1 })
      await stage.post(stage.other, 'one')
      await wider
      await stage.settle()
    },
  },
  {
    name: 'deleted',
    law: 'A deleted message keeps its place and loses what it said.',
    async play(stage) {
      await stage.start()
      const { id } = await stage.post(stage.other, 'one')
      await stage.post(stage.other, 'two')
      await stage.settle()
      await stage.remove(stage.other, id)
      await stage.settle()
    },
  },
  {
    name: 'expired',
    law: '`messages_expired` takes away all messages up to throughSeq.',
    async play(stage) {
      await stage.start()
      for (const content of ['one', 'two', 'three']) await stage.post(stage.other, content)
      await stage.settle()
      await stage.service.expire(stage.chatId, 2)
      await stage.settle()
    },
  },
  {
    name: 'removed',
    law: 'Who is removed has the chat no more; who is added again has it anew.',
    async play(stage) {
      await stage.start()
      await stage.post(stage.other, 'one')
      await stage.settle()
      await stage.removeMember()
      await stage.settle()
      await stage.post(stage.other, 'behind the back')
      await stage.addMember()
      await stage.client.order('open', { chatId: stage.chatId })
      await stage.post(stage.other, 'three')
      await stage.settle()
    },
  },
  {
    name: 'own-changes',
    law: "One's own edits and reactions are stored and shown.",
    async play(stage) {
      await stage.start()
      await stage.send('one')
      const id = (await stage.settle())?.messages[0]?.id
      await stage.client.order('react', { messageId: id, emoji: '🎉' })
      await stage.until(({ chats }) =>
        chats[stage.chatId]?.messages[0]?.reactions['🎉'] === 1 ? null : 'the reaction is not shown',
      )
      const { id: second } = await stage.post(stage.me, 'two')
      await stage.settle()
      await stage.client.order('edit', { messageId: second, content: 'two, edited' })
      await stage.until(({ chats }) =>
        chats[stage.chatId]?.messages[1]?.content === 'two, edited' ? null : 'the edit is not shown',
      )
      const truth = await stage.settle()
      must(truth?.messages[1]?.content === 'two, edited', 'the edit is not stored')
    },
  },
]
