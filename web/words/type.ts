import type { en } from './en/index.js'

/** What each language says. */
export type Words = typeof en
