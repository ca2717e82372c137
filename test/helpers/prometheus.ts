import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packageRoot } from '../../services/package-root.js'
import { freePort, type Owner } from './postgres.js'

const PROMTOOL = '/usr/bin/promtool'
const PROMETHEUS = '/usr/bin/prometheus'
const START_MS = 20_000

/** The folder of what Prometheus and Grafana are given. */
export const DEPLOY = join(packageRoot(), 'deploy')

/** A tap option that skips a test, saying why, where Prometheus is not to be had. */
export const needsPrometheus = existsSync(PROMTOOL) && existsSync(PROMETHEUS) ? {} : { skip: `no ${PROMETHEUS}` }

/** Asks promtool; answers whether it is content, and what it says. */
export function promtool(args: string[], input = ''): { ok: boolean; said: string } {
  const { status, stdout, stderr } = spawnSync(PROMTOOL, args, { input, encoding: 'utf8' })
  return { ok: status === 0, said: `${stdout}${stderr}` }
}

/** What an expression is just now: one value of each series. */
export interface Sample {
  metric: Record<string, string>
  value: [number, string]
}

/** Starts a Prometheus with the configuration of deploy/, which scrapes one node each second; answers how to ask it. */
export async function startPrometheus(
  owner: Owner,
  target: string,
): Promise<(expression: string) => Promise<Sample[]>> {
  const dir = mkdtempSync(join(tmpdir(), 'chat-prometheus-'))
  const config = readFileSync(join(DEPLOY, 'prometheus/prometheus.yml'), 'utf8')
    .replace(/targets: .*/, `targets: ['${target}']`)
    .replaceAll('15s', '1s')
  writeFileSync(join(dir, 'prometheus.yml'), config)
  writeFileSync(join(dir, 'alerts.yml'), readFileSync(join(DEPLOY, 'prometheus/alerts.yml')))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const args = [`--config.file=${dir}/prometheus.yml`, `--storage.tsdb.path=${dir}/data`]
  const child = spawn(PROMETHEUS, [...args, `--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' })
  owner.teardown(async () => {
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
    rmSync(dir, { recursive: true, force: true })
  })
  for (const end = Date.now() + START_MS; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const answer = await fetch(`${url}/-/ready`).catch(() => undefined)
    if (answer?.ok) break
    if (Date.now() > end || child.exitCode !== null) throw new Error('Prometheus does not start')
  }

  return async (expression) => {
    const answer = await fetch(`${url}/api/v1/query`, {
      method: 'POST',
      body: new URLSearchParams({ query: expression }),
    })
    const body = (await answer.json()) as { status: string; error?: string; data?: { result: Sample[] } }
    if (body.status !== 'success' || !body.data) throw new Error(`${expression}: ${body.error}`)
    return body.data.result
  }
}
