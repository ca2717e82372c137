import Fastify from 'fastify'
import t from 'tap'
import config from '../../../plugins/config/index.js'
import db from '../../../plugins/db.js'
import { embeddedDir, SECRET } from '../../helper.js'

t.test(
  'what a start prepares leaves the pool alone: a connection beside the pool’s would wait for ten seconds',
  async (t) => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(config, { nodeEnv: 'test', jwtSecret: SECRET, dataDir: await embeddedDir(t) })
    await app.register(db)
    t.equal(app.db.pool.totalCount, 0)
    const { rows } = await app.db.pool.query(`SELECT to_regclass('messages_words') IS NOT NULL AS made`)
    t.same(rows, [{ made: true }], 'and there was something to prepare')
  },
)
