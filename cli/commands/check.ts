import { command } from '../command.js'

export default command({
  summary: 'looks whether a start would work, and says what to do where not',
  about:
    'Looks at the settings and their spelling, secrets, the database with its rights and migrations, the bus, clocks, versions, the place of uploads and the port; it changes nothing and prints no secret. ✓ is fine, ! is worth a thought, ✗ is wrong and says what to do, – could not be looked at. Ends with 1 when something is wrong.',
  options: { json: { type: 'boolean', summary: 'the findings as JSON, for programs' } },
  examples: ['check', 'NODE_ENV=production {} check', 'check --json'],
  async run({ values: { json } }) {
    const { EXIT } = await import('../run.js')
    const { lookAtAll } = await import('../check/index.js')
    const { lineOf } = await import('../check/finding.js')
    const found = await lookAtAll(process.env)
    const ok = found.every(({ state }) => state !== 'wrong')
    const count = found.filter(({ state }) => state === 'wrong').length
    const last = ok ? '✅ a start would work' : `❌ ${count} ${count === 1 ? 'thing is' : 'things are'} wrong`
    const text = json ? JSON.stringify({ ok, found }, null, 2) : [...found.map(lineOf), last].join('\n')
    process.stdout.write(`${text}\n`)
    if (!ok) process.exitCode = EXIT.failed
  },
})
