// Programs, sockets and pages of the examples and of the packages, as their users have them.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { io } from 'socket.io-client'

const START_MS = 120_000
const END_MS = 5_000
const CHROMIUM = '/usr/bin/chromium'
const running = new Set()
let browser

/** A secret that production takes. */
export const secret = () => randomBytes(36).toString('base64')

/** Ends with this sentence unless it holds. */
export function must(holds, what) {
  if (!holds) throw new Error(what)
}

/** A port that nobody has. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** Starts a program, with arguments where it is a list, and waits until a URL answers. */
export async function start(folder, program, env, url) {
  const child = spawn(process.execPath, [program].flat(), {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: 'pipe',
  })
  running.add(child)
  let said = ''
  child.stdout.on('data', (text) => (said += text))
  child.stderr.on('data', (text) => (said += text))
  for (const end = Date.now() + START_MS; ; await sleep(200)) {
    must(child.exitCode === null && child.signalCode === null, `${program} ended while it started:\n${said}`)
    const answer = await fetch(url).catch(() => undefined)
    if (answer?.ok) return child
    must(Date.now() < end, `${program} does not answer at ${url}:\n${said}`)
  }
}

/** Ends a program by SIGTERM, with these clients connected; answers how long it took, in words. */
export async function end(name, child, clients = []) {
  must(
    clients.every((socket) => socket.connected),
    `${name}: a client is not connected at the end`,
  )
  const startedAt = Date.now()
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const [code, signal] = await Promise.race([ended, sleep(END_MS * 2, ['never'], { ref: false })])
  const ms = Date.now() - startedAt
  running.delete(child)
  for (const socket of clients) socket.disconnect()
  must(code === 0 && ms <= END_MS, `${name} ended with ${code ?? signal} after ${ms} ms of SIGTERM`)
  return `${ms} ms to end with ${clients.length} clients`
}

/** Ends a program that is not looked at any more. */
export async function stop(child) {
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
  running.delete(child)
}

/** A REST call. */
export async function call(url, { method = 'GET', token, body, status = 200 } = {}) {
  const response = await fetch(url, {
    method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  must(response.status === status, `${method} ${url} answered ${response.status} in place of ${status}: ${text}`)
  return JSON.parse(text)
}

/** A stock client that has its session. */
export async function connect(url, token, options = {}) {
  const socket = io(url, { auth: { token }, forceNew: true, reconnection: false, ...options })
  const refused = once(socket, 'connect_error').then(([error]) => Promise.reject(error))
  await Promise.race([once(socket, 'session'), refused])
  refused.catch(() => {})
  return socket
}

/** Whether there is a browser. */
export const hasBrowser = existsSync(CHROMIUM)

/** A page of a browser that ends with the script. */
export async function openTab() {
  const { chromium } = await import('playwright-core')
  browser ??= await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  })
  return browser.newPage()
}

/** Ends whatever still runs. */
export async function endAll() {
  await browser?.close()
  for (const child of running) child.kill('SIGKILL')
}
