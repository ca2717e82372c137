import type { Test } from 'tap'
import { SECRET, tempDir } from '../helper.js'
import { startInVain } from '../helpers/process.js'

const SETTINGS = { NODE_ENV: 'production', HOST: '127.0.0.1', PORT: '0', JWT_SECRET: SECRET }

/** Starts what must not start, through a command if one is given: one sentence on stderr that says what to do, and no stack. */
export async function refuses(
  t: Test,
  env: Record<string, string>,
  sentence: RegExp,
  through?: string[],
): Promise<void> {
  const settings = { ...SETTINGS, DATA_DIR: tempDir(t), ...env }
  const { code, stdout, stderr } = await startInVain(t, settings, tempDir(t), through)
  t.equal(code, 1, 'exit code 1')
  t.match(stderr, sentence)
  t.match(stderr, /^❌ [^\n]+: [^\n]+\.\n$/, 'one sentence, which says what to do')
  t.notMatch(`${stdout}${stderr}`, /\n\s+at |never-told/, 'no stack, no secret')
}
