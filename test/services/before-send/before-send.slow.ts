import { setTimeout as sleep } from 'node:timers/promises'
import { Webhook } from 'standardwebhooks'
import type { Test } from 'tap'
import { ChatError } from '../../../contract/errors.js'
import {
  build,
  type ClientSocket,
  connect,
  type DatabaseOptions,
  must,
  onEachDatabase,
  type Service,
} from '../../helper.js'
import { overRest, overSocket } from '../../helpers/doors.js'
import { type Asked, answer, HOOK_SECRET, serveJudge } from '../../helpers/judge.js'

type Judge = Awaited<ReturnType<typeof serveJudge>>

interface World {
  service: Service
  judge: Judge
  socket: ClientSocket
  chatId: string
}

async function start(t: Test, database: DatabaseOptions, settings: Parameters<typeof build>[1] = {}): Promise<World> {
  const judge = await serveJudge(t)
  const options = { beforeSendUrl: judge.url, beforeSendSecret: HOOK_SECRET, beforeSendTimeoutMs: 2_000 }
  const service = await build(t, { ...database, ...options, ...settings })
  const { socket } = await connect(t, service, 'alice')
  const { chat } = await must(socket, 'create_chat', { type: 'group', memberIds: ['bob'], title: 'x' })
  return { service, judge, socket, chatId: chat.chatId }
}

async function contentsOf({ socket, chatId }: World): Promise<(string | null)[]> {
  return (await must(socket, 'get_messages', { chatId })).messages.map(({ content }) => content)
}

onEachDatabase('a judge allows, refuses or replaces what users write', async (t, database) => {
  const world = await start(t, database, { maxMessageChars: 100 })
  const { service, judge, socket, chatId } = world
  const send = (input: object) => overSocket(socket, 'send_message', { chatId, ...input })

  await t.test('what it is asked', async (t) => {
    const metadata = { mood: 'fine' }
    const sent = await send({ content: 'hello', clientMessageId: 'k-1', metadata })
    t.match(sent, { ok: true, data: { message: { content: 'hello', metadata } } })
    const { body, headers } = judge.asked[0] as Asked
    t.equal(judge.forged, 0, 'the library takes the signature')
    t.same(body.data, {
      command: 'send_message',
      user: { userId: 'alice', name: 'ALICE', avatarUrl: null },
      chatId,
      messageId: null,
      content: 'hello',
      metadata,
      replyToId: null,
      clientMessageId: 'k-1',
      attachmentIds: [],
    })
    t.equal(body.type, 'message.before_send')
    t.ok(Math.abs(Date.parse(body.timestamp) - Date.now()) < 60_000)
    t.match(headers['webhook-id'], /^msg_/)
    const { messageId } = { messageId: sent.ok ? sent.data.message.id : '' }
    t.match(await overSocket(socket, 'edit_message', { messageId, content: 'edited' }), { ok: true })
    t.match(judge.asked[1]?.body.data, { command: 'edit_message', chatId: null, messageId, content: 'edited' })
    t.match(await overRest(service, 'send_message', { chatId, content: 'by REST' }, 'bob'), { ok: true })
    t.match(judge.asked[2]?.body.data, { user: { userId: 'bob' }, content: 'by REST' })
    const { length } = judge.asked
    t.match(await overRest(service, 'send_message', { chatId, content: 'by a service' }, 'bob', true), { ok: true })
    await must(socket, 'add_reaction', { messageId, emoji: '👍' })
    await must(socket, 'delete_message', { messageId })
    t.match(await send({ content: ' ' }), { error: { code: 'VALIDATION_FAILED' } })
    t.equal(judge.asked.length, length, 'nothing else is asked about, and services are trusted')
  })

  await t.test('a refusal', async (t) => {
    const before = await contentsOf(world)
    judge.respond = (response) => answer(response, { action: 'refuse', reason: 'Mind your words.' })
    const error = {
      code: 'FORBIDDEN',
      message: 'Mind your words.',
      retryable: false,
      details: { reason: 'refused', text: 'Mind your words.' },
    }
    t.same(await send({ content: 'curse', clientMessageId: 'r-1' }), { ok: false, error })
    t.same(await overRest(service, 'send_message', { chatId, content: 'curse' }, 'bob'), { ok: false, error })
    judge.respond = (response) => answer(response, { action: 'refuse' })
    t.match(await send({ content: 'curse' }), { error: { code: 'FORBIDDEN', details: { reason: 'refused' } } })
    t.same(await contentsOf(world), before, 'nothing is stored')
    judge.respond = (response) => answer(response, { action: 'allow' })
    t.match(
      await send({ content: 'curse', clientMessageId: 'r-1' }),
      { ok: true, data: { duplicate: false } },
      'the key is free',
    )
  })

  await t.test('a replacement, and a retry of what it replaced', async (t) => {
    judge.respond = (response) => answer(response, { action: 'replace', content: '****', metadata: { masked: true } })
    const mine = { content: 'a curse', clientMessageId: 'p-1', metadata: { b: 1, a: [1, 2.5, 'é'] } }
    const first = await send(mine)
    t.match(first, { ok: true, data: { duplicate: false, message: { content: '****', metadata: { masked: true } } } })
    const { length } = judge.asked
    const same = { ok: true, data: { duplicate: true, message: first.ok && first.data.message } }
    t.same(await send(mine), same, 'the same message')
    judge.respond = (response) => answer(response, { action: 'refuse' })
    t.same(await send(mine), same, 'whatever the judge would say now')
    t.equal(judge.asked.length, length, 'which is not asked')
    for (const other of [
      { content: '****' },
      { metadata: { masked: true } },
      { content: '****', metadata: { masked: true } },
    ]) {
      t.match(await send({ ...mine, ...other }), { error: { code: 'IDEMPOTENCY_CONFLICT' } }, 'another body is another')
    }
    judge.respond = (response) => answer(response, { action: 'replace', content: 'kept' })
    t.match(await send({ content: 'x', clientMessageId: 'p-2', metadata: { kept: 1 } }), {
      data: { message: { content: 'kept', metadata: { kept: 1 } } },
    })
    t.match(await send({ content: 'x', clientMessageId: 'p-2', metadata: { kept: 1 } }), { data: { duplicate: true } })

    const edited = await overSocket(socket, 'edit_message', {
      messageId: first.ok && first.data.message.id,
      content: 'y',
    })
    t.match(edited, { data: { message: { content: 'kept', metadata: { masked: true } } } }, 'an edit, too')
  })

  await t.test('many at once, in the order of their sender', async (t) => {
    const before = (await contentsOf(world)).length
    // The later, the sooner.
    judge.respond = (response, { body }) => {
      const i = Number(String(body.data.content).slice(1))
      setTimeout(() => answer(response, i % 7 === 3 ? { action: 'refuse' } : { action: 'allow' }), 40 - i)
    }
    const contents = Array.from({ length: 30 }, (_, i) => `n${i}`)
    const answers = await Promise.all(contents.map((content) => send({ content })))
    const stored = contents.filter((_, i) => i % 7 !== 3)
    t.equal(answers.filter(({ ok }) => ok).length, stored.length)
    t.same((await contentsOf(world)).slice(before), stored)
    t.equal(judge.forged, 0)
    t.ok(judge.connections <= 40, `connections are kept: ${judge.connections} for ${judge.asked.length} questions`)
  })
})

const FAILURES: Record<string, (judge: Judge) => void> = {
  'a 500': (judge) => {
    judge.respond = (response) => answer(response, { action: 'allow' }, 500)
  },
  'a redirect': (judge) => {
    judge.respond = (response) => answer(response, { action: 'refuse' }, 307, { location: judge.url })
  },
  garbage: (judge) => {
    judge.respond = (response) => void response.writeHead(200).end('<html>')
  },
  'an action that is none': (judge) => {
    judge.respond = (response) => answer(response, { action: 'ban' })
  },
  'a replacement that no message can be': (judge) => {
    judge.respond = (response) => answer(response, { action: 'replace', content: ' \u0000' })
  },
  'a replacement that is too long': (judge) => {
    judge.respond = (response) => answer(response, { action: 'replace', content: 'x'.repeat(101) })
  },
  'metadata that is too deep': (judge) => {
    const deep = (depth: number): object => (depth === 0 ? {} : { deep: deep(depth - 1) })
    judge.respond = (response) => answer(response, { action: 'replace', metadata: deep(9) })
  },
  'an answer that is too large': (judge) => {
    judge.respond = (response) => answer(response, { action: 'allow', filler: 'x'.repeat(300_000) })
  },
  'an answer that breaks off': (judge) => {
    judge.respond = (response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"action":"allow"}')
      setTimeout(() => response.destroy(), 10)
    }
  },
  'a connection that breaks off': (judge) => {
    judge.respond = (response) => void response.destroy()
  },
  'no answer in time': (judge) => {
    judge.respond = (response) => void setTimeout(() => answer(response, { action: 'allow' }), 1_500)
  },
  'an answer that does not end in time': (judge) => {
    judge.respond = (response) => void response.writeHead(200).write('{"action":')
  },
}

onEachDatabase('a judge that gives no answer that counts', async (t, database) => {
  const settings = { maxMessageChars: 100, beforeSendTimeoutMs: 300 }
  for (const beforeSendFail of ['open', 'closed'] as const) {
    await t.test(beforeSendFail, async (t) => {
      const world = await start(t, database, { ...settings, beforeSendFail })
      const { judge, socket, chatId } = world
      const send = (content: string) => overSocket(socket, 'send_message', { chatId, content })
      const said = { code: 'UNAVAILABLE', retryable: true, retryAfterMs: 1_000 }
      for (const [what, fail] of Object.entries(FAILURES)) {
        fail(judge)
        const outcome = await send(what)
        if (beforeSendFail === 'open') t.match(outcome, { ok: true, data: { message: { content: what } } }, what)
        else t.match(outcome, { ok: false, error: said }, what)
      }
      const questions = judge.asked.length
      t.ok(questions <= Object.keys(FAILURES).length + 2, `no redirect was followed: ${questions} questions`)
      judge.respond = (response) => answer(response, { action: 'refuse' })
      t.match(await send('after all that'), { error: { code: 'FORBIDDEN' } }, 'then it is asked as before')

      await judge.close()
      const startedAt = performance.now()
      const many = await Promise.all(Array.from({ length: 30 }, () => send('nobody is there')))
      t.ok(many.every(({ ok }) => ok === (beforeSendFail === 'open')))
      t.ok(performance.now() - startedAt < 10_000)
      const stored = await contentsOf(world)
      t.equal(stored.length, beforeSendFail === 'open' ? Object.keys(FAILURES).length + 30 : 0)
      const { values } = await world.service.app.chat.metrics.verdicts.get()
      const failed = values.find(({ labels }) => labels.verdict === 'failed')?.value
      t.equal(failed, Object.keys(FAILURES).length + 30, 'each is counted')
    })
  }
})

onEachDatabase('a judge that hangs is let rest', async (t, database) => {
  const { judge, socket, chatId } = await start(t, database, { beforeSendTimeoutMs: 200 })
  judge.respond = () => {}
  const send = () => overSocket(socket, 'send_message', { chatId, content: 'x' })
  await Promise.all(Array.from({ length: 25 }, send))
  const asked = judge.asked.length
  for (let i = 0; i < 10; i += 1) t.match(await send(), { ok: true })
  t.ok(judge.asked.length < asked + 10, 'not each is asked about')
  judge.respond = (response) => answer(response, { action: 'refuse' })
  await sleep(1_100)
  t.match(await send(), { error: { code: 'FORBIDDEN' } }, 'it is tried again')
  t.match(await send(), { error: { code: 'FORBIDDEN' } })
})

onEachDatabase('a host has its own hook beside, which may replace, too', async (t, database) => {
  const old = `whsec_${Buffer.from('Tq4bN8zXw2LrVk6MpYc9HsJd').toString('base64')}`
  const world = await start(t, database, {
    beforeSendSecret: `${old}, ${HOOK_SECRET}`,
    authorize({ command, input }) {
      if (command !== 'send_message' && command !== 'edit_message') return undefined
      if (input.content === 'no') throw new ChatError('FORBIDDEN', { message: 'The host says no.' })
      return { content: input.content === 'broken' ? '' : `${input.content}, says the host` }
    },
  })
  const { judge, socket, chatId } = world
  const send = (content: string) => overSocket(socket, 'send_message', { chatId, content, clientMessageId: content })
  t.match(await send('no'), { error: { message: 'The host says no.' } })
  t.equal(judge.asked.length, 0)
  t.match(await send('hello'), { data: { message: { content: 'hello, says the host' } } })
  t.match(judge.asked[0]?.body.data, { content: 'hello, says the host' })
  t.match(await send('hello'), { data: { duplicate: true } })
  t.match(await send('broken'), { error: { code: 'INTERNAL' } }, 'what does not fit is a fault of the host')
  t.equal(judge.forged, 0, 'while a secret is rotated, each signs')
  const { headers, body } = judge.asked[0] as Asked
  t.doesNotThrow(() => new Webhook(old).verify(JSON.stringify(body), headers as Record<string, string>))
})
