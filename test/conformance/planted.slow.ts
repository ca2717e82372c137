import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { play } from '../../conformance/run.js'
import { SCENARIOS } from '../../conformance/scenarios/index.js'
import { startService } from '../../conformance/service.js'
import { packageRoot } from '../../services/package-root.js'
import { embeddedDir, tempDir } from '../helper.js'
import { FAULTS, plant } from './faults.js'

const JOBS = 6
/** A fault shows by what does not come: the less is waited for it, the shorter the run. */
const PATIENCE_MS = 8_000

// npm run test:planted -- [the names of some faults alone]: all; among the slow tests each fourth, beginning at any.
const names = process.argv.slice(2).filter((arg) => arg !== '--all')
const STEP = process.argv.length > 2 ? 1 : 4
const FIRST = Math.floor(Math.random() * STEP)
const root = packageRoot()
const adapter = join(root, 'conformance/clients/plain.mjs')
const service = await startService(await embeddedDir(t))
t.teardown(() => service.close())

t.test('each planted fault is found by its scenario', async (t) => {
  const dir = tempDir(t)
  // The client finds its socket.io-client as the original does.
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'))
  const source = readFileSync(join(root, 'examples/plain-client/client.mjs'), 'utf8')
  const chosen = FAULTS.filter(({ name }, i) => (names.length === 0 || names.includes(name)) && i % STEP === FIRST)
  const left = chosen.entries()
  async function work(): Promise<void> {
    for (const [i, fault] of left) {
      const folder = join(dir, String(i))
      mkdirSync(folder)
      writeFileSync(join(folder, 'client.mjs'), plant(source, fault))
      const command = ['node', adapter, join(folder, 'client.mjs')]
      const scenario = SCENARIOS.find(({ name }) => name === fault.foundBy)
      if (!scenario) throw new Error(`there is no ${fault.foundBy}`)
      const { fault: found } = await play({ service, command, patienceMs: PATIENCE_MS }, scenario)
      t.type(found, 'string', `${fault.name}, by ${fault.foundBy}: ${found}`)
      // A client that does not run at all is no find.
      t.notMatch(found, /has ended|has not answered/, `${fault.name} runs`)
    }
  }
  await Promise.all(Array.from({ length: JOBS }, work))
})
