import { Refusal } from '../../services/refusals/refusal.js'
import { tell } from '../../services/refusals/tell.js'

/** How it stands: only what is wrong fails the check. */
export type State = 'fine' | 'warning' | 'wrong' | 'skipped'

/** What a look has found, in a sentence. */
export interface Finding {
  what: string
  state: State
  says: string
}

const SIGNS: Record<State, string> = { fine: '✓', warning: '!', wrong: '✗', skipped: '–' }
const WIDTH = 10

/** Findings of one subject. */
export function findings(what: string) {
  const of =
    (state: State) =>
    (says: string): Finding => ({ what, state, says })
  return {
    fine: of('fine'),
    warning: of('warning'),
    wrong: of('wrong'),
    skipped: of('skipped'),
    /** What a look has thrown, as a start would tell it. */
    thrown: (error: unknown): Finding[] =>
      (error instanceof Refusal ? error.message : tell(error, {}).replace(/^❌ |\n$/g, ''))
        .split('\n')
        .map(of('wrong')),
  }
}

/** A finding as a line. */
export const lineOf = ({ what, state, says }: Finding): string => `${SIGNS[state]} ${what.padEnd(WIDTH)} ${says}`
