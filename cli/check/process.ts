import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import type { Config } from '../../plugins/config/settings.js'
import { packageRoot } from '../../services/package-root.js'
import { listenRefusal } from '../../services/refusals/listen.js'
import { requireOpenFiles } from '../../services/refusals/open-files.js'
import { type Finding, findings } from './finding.js'

const node = findings('Node')
const port = findings('port')

/** The version of Node, and what the process may do. */
export function lookAtProcess(version = process.versions.node): Finding[] {
  const text = readFileSync(join(packageRoot(), 'package.json'), 'utf8')
  const { engines }: { engines: { node: string } } = JSON.parse(text)
  const found = [
    isAtLeast(version, engines.node.replace(/^>=/, ''))
      ? node.fine(version)
      : node.wrong(`This is Node ${version}, and ${engines.node} is needed: install a newer one.`),
  ]
  try {
    requireOpenFiles()
    return found
  } catch (error) {
    return [...found, ...node.thrown(error)]
  }
}

function isAtLeast(version: string, least: string): boolean {
  const parts = (text: string) => text.split('.').map(Number)
  const difference = parts(least).map((part, i) => (parts(version)[i] ?? 0) - part)
  return (difference.find((part) => part !== 0) ?? 0) >= 0
}

/** Whether the server could listen where HOST and PORT say. */
export async function lookAtPort({ HOST, PORT }: Config): Promise<Finding[]> {
  const server = net.createServer()
  try {
    server.listen({ host: HOST, port: PORT })
    await once(server, 'listening')
    return [port.fine(PORT === 0 ? `any free one of ${HOST}` : `${PORT} of ${HOST} is free`)]
  } catch (error) {
    return port.thrown(listenRefusal(error, HOST, PORT))
  } finally {
    server.close()
  }
}

/** That the port was not looked at. */
export const unlooked = [port.skipped('the settings come first')]
