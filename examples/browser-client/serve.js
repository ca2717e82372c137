import { createReadStream } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

/** @type {Record<string, [string, string]>} */
const files = {
  '/': ['index.html', 'text/html'],
  '/page.js': ['page.js', 'text/javascript'],
  '/socket.io.js': ['node_modules/socket.io-client/dist/socket.io.esm.min.js', 'text/javascript'],
}

const server = createServer((request, response) => {
  const [file, type] = files[new URL(request.url ?? '/', 'http://localhost').pathname] ?? []
  if (!file) return response.writeHead(404).end()
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8` })
  createReadStream(join(import.meta.dirname, file)).pipe(response)
})

const { PORT = '8080' } = process.env
server.listen(Number(PORT), '127.0.0.1', () => console.log(`open http://localhost:${PORT}/?user=alice`))
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close(() => process.exit(0))
    server.closeAllConnections()
  })
}
