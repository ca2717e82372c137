import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'

const { PORT = '8080', CHAT_URL = 'http://localhost:3002' } = process.env
const read = (name) => readFile(join(import.meta.dirname, name), 'utf8')

// In production a server makes the token of whoever is signed in; the demo gives away those of its people.
async function tokenOf(userId) {
  const answer = await fetch(`${CHAT_URL}/demo/tokens`)
  return (await answer.json())[userId] ?? ''
}

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost')
  if (pathname === '/site.css')
    return response.writeHead(200, { 'content-type': 'text/css' }).end(await read('site.css'))
  if (pathname !== '/') return response.writeHead(404).end()
  const page = await read('index.html')
  const connect = `${CHAT_URL} ${CHAT_URL.replace('http', 'ws')}`
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': `default-src 'none'; style-src 'self'; script-src ${CHAT_URL}; connect-src ${connect}; img-src blob:`,
  })
  response.end(page.replace('{chat}', CHAT_URL).replace('{token}', await tokenOf(searchParams.get('user'))))
})

server.listen(Number(PORT), '127.0.0.1', () => console.log(`open http://localhost:${PORT}/?user=alice`))
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close(() => process.exit(0))
    server.closeAllConnections()
  })
}
