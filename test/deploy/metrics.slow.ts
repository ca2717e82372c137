import { join } from 'node:path'
import t from 'tap'
import { readVersion } from '../../services/package-root.js'
import { build, client, connect, must, next, onEachDatabase } from '../helper.js'
import { DEPLOY, needsPrometheus, promtool } from '../helpers/prometheus.js'

onEachDatabase('/metrics tells of the build, commands, requests, connects and credentials', async (t, database) => {
  const service = await build(t, { ...database, buildCommit: 'abc123' })
  const { socket } = await connect(t, service, 'alice')
  const { chat } = await must(socket, 'create_chat', { type: 'group', memberIds: ['bob'] })
  const { chatId } = chat
  await must(socket, 'send_message', { chatId, content: 'hello' })
  await service.call('POST', `/chats/${chatId}/messages`, { as: 'carol', body: { content: 'let me in' } })
  await service.call('GET', `/chats/${chatId}`, { headers: { authorization: 'Bearer no-token' } })
  await service.call('GET', '/nobody/has/this')
  const stranger = client(t, service, 'nobody', { auth: { token: 'no-token' } })
  const refused = next(stranger, 'connect_error' as never)
  stranger.connect()
  await refused

  const page = String((await service.call('GET', '/metrics', { as: 'service' })).body)
  const told = (line: string) => t.ok(page.includes(`${line}\n`), line)
  told(`chat_build_info{version="${readVersion()}",node="${process.versions.node}",commit="abc123"} 1`)
  told('chat_command_seconds_count{command="send_message",outcome="ok"} 1')
  told('chat_command_seconds_count{command="send_message",outcome="NOT_FOUND"} 1')
  told('chat_http_request_seconds_count{method="POST",route="/chats/:chatId/messages",status="404"} 1')
  told('chat_http_request_seconds_count{method="GET",route="/chats/:chatId",status="401"} 1')
  told('chat_http_request_seconds_count{method="GET",route="none",status="404"} 1')
  told('chat_connects_total{outcome="ok"} 1')
  told('chat_connects_total{outcome="UNAUTHENTICATED"} 1')
  told('chat_auth_failures_total{door="rest",code="UNAUTHENTICATED"} 1')
  told('chat_auth_failures_total{door="socket",code="UNAUTHENTICATED"} 1')
  // Of what has not happened yet, too: an alert on its increase would miss the first.
  told('chat_refusals_total{code="STORAGE_FULL"} 0')
  told('chat_closings_total{code="SLOW_CONSUMER"} 0')
  t.notOk(page.includes(chatId), 'no id is a label')

  await t.test('by names that Prometheus likes', needsPrometheus, async (t) => {
    // The default metrics of Node are named by prom-client, and three of them badly.
    const own = page.split('\n').filter((line) => /^(# \w+ )?(chat|process)_/.test(line))
    const { ok, said } = promtool(['check', 'metrics'], `${own.join('\n')}\n`)
    t.ok(ok, said)
    t.equal(said, '')
    t.notOk(promtool(['check', 'metrics'], '# TYPE things counter\nthings 1\n').ok, 'it dislikes others')
  })
})

t.test('the alerts fire where they must, and only there', needsPrometheus, async (t) => {
  const tests = join(DEPLOY, 'prometheus/alerts.test.yml')
  const { ok, said } = promtool(['test', 'rules', tests])
  t.ok(ok, said)
  const config = promtool(['check', 'config', join(DEPLOY, 'prometheus/prometheus.yml')])
  t.ok(config.ok, config.said)
})
