import Fastify from 'fastify'
import t from 'tap'
import { createAddressOf, networkOf, readTrust } from '../../plugins/addresses.js'
import { build, embeddedDir } from '../helper.js'
import { startServer } from '../helpers/process.js'

const CLAIMS = [
  undefined,
  '1.1.1.1',
  '1.1.1.1, 2.2.2.2',
  '3.3.3.3, 2.2.2.2,1.1.1.1',
  '2001:db8:1:2:3::4',
  'nonsense, %',
]

/** The address of each claim when the proxy is here, by the setting. */
const SAYINGS: Record<string, string[]> = {
  '': ['127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.1'],
  false: ['127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.1'],
  '1': ['127.0.0.1', '1.1.1.1', '2.2.2.2', '1.1.1.1', '2001:db8:1:2::', '127.0.0.1'],
  '2': ['127.0.0.1', '1.1.1.1', '1.1.1.1', '2.2.2.2', '2001:db8:1:2::', '127.0.0.1'],
  true: ['127.0.0.1', '1.1.1.1', '1.1.1.1', '3.3.3.3', '2001:db8:1:2::', '127.0.0.1'],
  loopback: ['127.0.0.1', '1.1.1.1', '2.2.2.2', '1.1.1.1', '2001:db8:1:2::', '127.0.0.1'],
  '127.0.0.0/8, 2.2.2.2': ['127.0.0.1', '1.1.1.1', '1.1.1.1', '1.1.1.1', '2001:db8:1:2::', '127.0.0.1'],
  '10.0.0.0/8': ['127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.1', '127.0.0.1'],
}

t.test('whose X-Forwarded-For is believed, by REST and by handshakes alike', async (t) => {
  for (const [setting, expected] of Object.entries(SAYINGS)) {
    const trust = readTrust(setting)
    if (trust === null) throw new Error(`${setting} says nothing`)
    const addressOf = createAddressOf(trust)
    const app = Fastify({ trustProxy: trust })
    app.get('/', ({ ip, raw }) => ({ ip, address: addressOf(raw) }))
    const answers = await Promise.all(
      CLAIMS.map(async (claim) =>
        (await app.inject({ url: '/', headers: claim === undefined ? {} : { 'x-forwarded-for': claim } })).json(),
      ),
    )
    t.same(
      answers.map(({ address }) => address),
      expected,
      `TRUST_PROXY=${setting}`,
    )
    for (const { ip, address } of answers) if (networkOf(ip)) t.equal(networkOf(ip), address, 'request.ip is the same')
    await app.close()
  }
})

t.test('an address has one spelling', async (t) => {
  const spellings: Record<string, string | null> = {
    '::ffff:10.1.2.3': '10.1.2.3',
    '::1': '::',
    '2001:DB8:0:1:ffff::': '2001:db8:0:1::',
    'fe80::1%eth0': 'fe80::',
    '1': null,
    '10.1.2.3:80': null,
    '': null,
  }
  for (const [address, expected] of Object.entries(spellings)) t.equal(networkOf(address), expected, address)
})

t.test('a setting that says nothing is refused by its name', async (t) => {
  for (const trustProxy of ['yes', '300.1.1.1', '10.0.0.0/33', '-1']) {
    await t.rejects(
      build(t, { trustProxy, dataDir: '/nonexistent' }),
      /TRUST_PROXY must be true, a number of proxies/,
      trustProxy,
    )
  }
})

t.test('what is told of a proxy never makes anybody local', async (t) => {
  const env = { NODE_ENV: 'development', DEMO_DATA: 'false', DATA_DIR: await embeddedDir(t), TRUST_PROXY: 'true' }
  const { url } = await startServer(t, { ...env, LOG_LEVEL: 'info' })
  const statusWith = async (headers: Record<string, string>) =>
    (await fetch(`${url.replace('127.0.0.1', 'localhost')}/users/online`, { headers })).status
  t.equal(await statusWith({}), 200, 'nobody is between')
  for (const header of ['x-forwarded-for', 'x-real-ip', 'forwarded', 'x-forwarded-host', 'x-forwarded-proto']) {
    t.equal(await statusWith({ [header]: header.endsWith('proto') ? 'http' : '127.0.0.1' }), 401, header)
  }
})
