import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { API_KEY, embeddedDir, inSeconds, SECRET, sign } from '../../helper.js'
import { startServer } from '../../helpers/process.js'

const MB = 1_048_576
const SIZE = 100 * MB
const MAX_GROWTH_MB = 20

/** The resident memory of a process, in MB. */
const residentMb = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024

t.test('a file of 100 MB passes through a server and not through its memory', async (t) => {
  const { child, url } = await startServer(t, {
    DATA_DIR: await embeddedDir(t),
    JWT_SECRET: SECRET,
    SERVICE_API_KEYS: API_KEY,
    MAX_UPLOAD_BYTES: String(SIZE),
    LOG_LEVEL: 'info',
  })
  const service = { 'x-api-key': API_KEY, 'content-type': 'application/json' }
  const token = sign({ sub: 'alice', exp: inSeconds(600) })
  await fetch(`${url}/users/alice`, { method: 'PUT', headers: service, body: '{"name":"Alice"}' })
  const chat = JSON.stringify({ type: 'group', memberIds: ['alice'], chatId: 'room' })
  await fetch(`${url}/chats`, { method: 'POST', headers: service, body: chat })

  async function upload(size: number): Promise<string> {
    const begun = await fetch(`${url}/chats/room/uploads`, {
      method: 'POST',
      headers: { ...service, 'x-on-behalf-of': 'alice' },
      body: JSON.stringify({ name: 'film.mp4', mimeType: 'video/mp4', size }),
    })
    const body = (await begun.json()) as { attachment: { id: string }; upload: { url: string; headers: object } }
    let left = size
    const bytes = new ReadableStream({
      pull(controller) {
        const length = Math.min(left, 65_536)
        if (length > 0) controller.enqueue(new Uint8Array(length))
        left -= length
        if (left === 0) controller.close()
      },
    })
    const headers = { ...body.upload.headers }
    const put = await fetch(new URL(body.upload.url, url), { method: 'PUT', headers, body: bytes, duplex: 'half' })
    t.equal(put.status, 200)
    return body.attachment.id
  }

  const pid = child.pid ?? 0
  /** How much it grows at most while one file goes up, and until it has come down again. */
  async function growth(): Promise<{ up: number; both: number }> {
    await sleep(1_000)
    const before = residentMb(pid)
    let most = before
    const timer = setInterval(() => {
      most = Math.max(most, residentMb(pid))
    }, 20)
    const id = await upload(SIZE)
    const up = most - before
    const answer = await fetch(`${url}/attachments/${id}`, { headers: { authorization: `Bearer ${token}` } })
    let read = 0
    for await (const chunk of answer.body ?? []) read += chunk.length
    clearInterval(timer)
    t.equal(read, SIZE)
    const both = most - before
    t.comment(`resident: ${before.toFixed(1)} MB before, +${up.toFixed(1)} MB going up, +${both.toFixed(1)} MB at most`)
    return { up, both }
  }

  // What the first file of any size costs is code, not bytes.
  await upload(5 * MB)
  const first = residentMb(pid)
  const grown = [await growth(), await growth(), await growth()]
  for (const { up } of grown) t.ok(up <= MAX_GROWTH_MB, `going up, it grows by at most ${MAX_GROWTH_MB} MB: ${up}`)
  // Chunks that went down are garbage until they are collected, later beside other work: so it is the least of three, and all three together.
  t.ok(Math.min(...grown.map(({ both }) => both)) <= MAX_GROWTH_MB, 'coming down, too')
  t.ok(residentMb(pid) - first <= 2 * MAX_GROWTH_MB, 'and keeps nothing of three')
})
