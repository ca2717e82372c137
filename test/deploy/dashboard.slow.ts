import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { build, client, connect, must, next, until } from '../helper.js'
import { DEPLOY, needsPrometheus, startPrometheus } from '../helpers/prometheus.js'

interface Panel {
  title: string
  targets?: { expr: string }[]
}

/** What a user of Grafana sees in place of the variables: everything, over half a minute. */
const shown = (expression: string) =>
  expression.replaceAll('$__rate_interval', '30s').replaceAll('$job', '.*').replaceAll('$instance', '.*')

function expressionsOfDashboard(): [name: string, expression: string][] {
  const { panels } = JSON.parse(readFileSync(join(DEPLOY, 'grafana/chat.json'), 'utf8')) as { panels: Panel[] }
  return panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }): [string, string] => [title, shown(expr)]))
}

/** The left sides of the alerts: what they compare is there, whether it is bad or not. */
function expressionsOfAlerts(): [name: string, expression: string][] {
  const rules = readFileSync(join(DEPLOY, 'prometheus/alerts.yml'), 'utf8')
  const found = rules.matchAll(/- alert: (\w+)\n +expr: (.+)/g)
  return Array.from(found, ([, name = '', expression = '']) => [name, expression.replace(/ (>|<|==) [\d.]+$/, '')])
}

t.test('every panel and every alert has data in a real Prometheus', needsPrometheus, async (t) => {
  const service = await build(t, { metrics: true })
  const ask = await startPrometheus(t, new URL(service.url).host)
  const { socket } = await connect(t, service, 'alice')
  const { chat } = await must(socket, 'create_chat', { type: 'group', memberIds: ['bob'] })
  const stranger = client(t, service, 'nobody', { auth: { token: 'no-token' } })
  const refused = next(stranger, 'connect_error' as never)
  stranger.connect()
  await refused

  // A rate needs two scrapes between which something happens.
  await until('it has scraped what happened', async () => {
    await must(socket, 'send_message', { chatId: chat.chatId, content: 'hello' })
    await service.call('GET', '/health')
    const [sample] = await ask('sum(rate(chat_sends_total{outcome="stored"}[30s]))')
    return Number(sample?.value[1]) > 0
  })

  const expressions = [...expressionsOfDashboard(), ...expressionsOfAlerts()]
  t.ok(expressions.length > 40, `${expressions.length} expressions`)
  for (const [name, expression] of expressions) {
    const samples = await ask(expression)
    t.ok(samples.length > 0, `${name}: ${expression}`)
    t.ok(
      samples.some(({ value: [, number] }) => number !== 'NaN'),
      `${name} is a number`,
    )
  }
  await t.rejects(ask('rate(chat_sends_total'), 'what is no expression is an error')
  t.same(await ask('chat_no_such_metric'), [], 'and what is not there has no data')
  t.same(await ask('ALERTS{alertstate="firing"}'), [], 'nothing is wrong')
})
