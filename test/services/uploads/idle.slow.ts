import { existsSync, readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { build, until } from '../../helper.js'
import { begin } from '../../helpers/uploads.js'

// Two limits stood here, of which one was never met. In a host's server, as here, there is no other.
t.test('an upload that stands still for half a minute is cut, and leaves nothing', async (t) => {
  const service = await build(t, { uploads: 'folder' })
  const people = { owner: 'alice', founders: ['alice'] }
  const { chatId } = await service.app.chat.log.createChat({ type: 'group', ...people })
  const { body } = await begin(service, 'alice', chatId)
  const { pathname, hostname, port } = new URL(body.upload.url, service.url)
  const headers = Object.entries({ ...body.upload.headers, host: hostname, 'content-length': 5 })
  const coming = join(service.app.chat.config.DATA_DIR, 'uploads/tmp')
  const socket = connect(Number(port), hostname)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.on('error', () => {})
  socket.write(`PUT ${pathname} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\nhel`)
  socket.resume()
  await until('it is coming', () => readdirSync(coming).length === 1)
  await closed
  await until('nothing is left of it', () => existsSync(coming) && readdirSync(coming).length === 0)
})
