import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Webhook } from 'standardwebhooks'
import t from 'tap'
import { packageRoot } from '../../services/package-root.js'
import { until } from '../helper.js'

const SECRET = `whsec_${Buffer.from('the receiver of the docs').toString('base64')}`

t.test('the receiver of the docs takes what is signed, once, and sees what is missing', async (t) => {
  const page = readFileSync(join(packageRoot(), 'docs/hooks.md'), 'utf8')
  const [, script = ''] = /```js\n([\s\S]*?)```/.exec(page) ?? []
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: packageRoot(),
    env: { PATH: process.env.PATH, WEBHOOK_SECRET: SECRET, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill())
  const said: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => said.push(line))
  await until('it listens', () => said.length > 0)
  const [, port] = /port: (\d+)/.exec(said.splice(0).join()) ?? []

  let number = 0
  async function post(from: number, through: number, secret = SECRET): Promise<number> {
    const changes = []
    for (let revision = from; revision <= through; revision += 1) changes.push({ revision, type: 'message_created' })
    const data = { chatId: 'c', from, through, head: through, changes }
    const body = JSON.stringify({ type: 'chat.changes', timestamp: new Date().toISOString(), data })
    number += 1
    const [id, now] = [`msg_${number}`, new Date()]
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
      'webhook-signature': new Webhook(secret).sign(id, now, body),
    }
    return (await fetch(`http://127.0.0.1:${port}`, { method: 'POST', headers, body })).status
  }
  t.equal(await post(1, 2), 204)
  t.equal(await post(1, 2), 204, 'a repeat is taken')
  t.equal(await post(3, 9, `whsec_${Buffer.from('of somebody else, of course').toString('base64')}`), 401)
  t.equal(await post(2, 3), 204)
  t.equal(await post(6, 6), 204)
  await until('all is said', () => said.length >= 5)
  const line = (revision: number) => `c ${revision} message_created`
  t.same(said, [line(1), line(2), line(3), 'c: missed 4 to 5', line(6)])
  child.kill()
  await once(child, 'exit')
})
