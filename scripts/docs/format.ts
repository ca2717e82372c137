import { spawnSync } from 'node:child_process'
import { Refusal } from '../../cli/run.js'

/** A file's text as the formatter, which looks at JSON too, wants it. */
export function formatted(name: string, text: string): string {
  const { stdout, status, stderr } = spawnSync(
    process.execPath,
    ['node_modules/@biomejs/biome/bin/biome', 'format', `--stdin-file-path=${name}`],
    { input: text, encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 },
  )
  if (status !== 0) throw new Refusal(`The formatter failed: ${stderr}`)
  return stdout
}
