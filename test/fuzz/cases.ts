import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../services/package-root.js'
import { createRandom, type Random } from '../faults/random.js'

export const PARTS = ['parsers', 'requests', 'sockets'] as const
export type Part = (typeof PARTS)[number]

/** One case: its numbers name all that it does. */
export interface Case {
  seed: number
  part: Part
  index: number
}

/** What went wrong, and in which case; several where they ran at once. */
export interface Failure {
  law: string
  what: string
  cases: Case[]
}

/** The line that runs a case again. */
export const replayOf = ({ seed, part, index }: Case) => `npm run fuzz -- --seed ${seed} --part ${part} --case ${index}`

/** A failure in words, with the lines that run its cases again. */
export const tell = ({ law, what, cases }: Failure) =>
  [`❌ ${law}: ${what}`, ...cases.map((one) => `   ${replayOf(one)}`)].join('\n')

/** A number that a case's seed and index name, for the generators of its own. */
export function seedOf({ seed, part, index }: Case): number {
  let hash = seed ^ (PARTS.indexOf(part) * 0x9e3779b1)
  for (const word of [index, 0x85ebca6b]) {
    hash = Math.imul(hash ^ word, 0x85ebca6b)
    hash ^= hash >>> 13
    hash = Math.imul(hash, 0xc2b2ae35)
    hash ^= hash >>> 16
  }
  return hash | 0
}

export const randomOf = (one: Case): Random => createRandom(seedOf(one))

/** A whole number below a limit. */
export const below = (random: Random, limit: number) => Math.floor(random() * limit)

/** What once failed, as frames, requests or inputs: run before all else. */
export interface CorpusEntry {
  /** What it broke. */
  what: string
  /** Frames of one socket in their order, those that are binary as base64. */
  frames?: (string | { binary: string })[]
  /** Bytes of one request. */
  request?: string
}

/** All entries of `corpus/`. */
export function readCorpus(): CorpusEntry[] {
  const dir = join(packageRoot(), 'test/fuzz/corpus')
  return readdirSync(dir)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => JSON.parse(readFileSync(join(dir, name), 'utf8')) as CorpusEntry[])
}
