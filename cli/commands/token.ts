import { command, wrongUse } from '../command.js'

const DAY_S = 86_400

export default command({
  summary: 'prints a development token of a user, or of a service',
  about:
    'Signed with the secret that a server started in this folder uses; such a server may be running, and takes it. In production your own service makes the tokens.',
  operands: [{ name: 'userId', summary: 'whose token it is' }],
  options: {
    service: { type: 'boolean', summary: 'a token of your main API, for REST' },
    days: { type: 'string', value: 'n', default: '1', summary: 'how long it is good' },
  },
  examples: ['token alice', 'token alice --days 7', 'token --service'],
  async run({ operands: [userId], values: { service: isService, days } }) {
    if (!userId && !isService) throw wrongUse('token needs the id of a user, or --service: token alice.')
    if (!(Number(days) > 0)) throw wrongUse('--days must be a number above 0.')
    const { Refusal, readSettings } = await import('../run.js')
    const { createSigner } = await import('../tokens.js')
    const config = await readSettings()
    if (config.isProduction)
      throw new Refusal('This makes development tokens; in production your own service makes them.')
    const lifetimeS = Math.ceil(Number(days) * DAY_S)
    if (lifetimeS > config.JWT_MAX_LIFETIME) throw new Refusal('--days is more than JWT_MAX_LIFETIME allows.')
    const sign = await createSigner(config)
    process.stdout.write(`${sign({ userId, isService, lifetimeS })}\n`)
  },
})
