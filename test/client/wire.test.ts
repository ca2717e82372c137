import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type * as wire from '../../client/src/wire.js'
import type * as contract from '../../contract/index.js'
import { formatted } from '../../scripts/docs/format.js'
import { wireTypes } from '../../scripts/docs/wire.js'
import { packageRoot } from '../../services/package-root.js'

t.test('the types of the wire are as the contract makes them', async (t) => {
  const path = 'client/src/wire.ts'
  t.equal(readFileSync(join(packageRoot(), path), 'utf8'), formatted(path, wireTypes()), 'run: npm run docs')
})

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
type Sames<A, B> = { [K in keyof A | keyof B]: K extends keyof A & keyof B ? Same<A[K], B[K]> : false }
type All<A> = { [K in keyof A]: true }

type Inputs = { [C in wire.CommandName]: wire.Input<C> }
type ContractInputs = { [C in contract.CommandName]: contract.Input<C> }
type Outputs = { [C in wire.CommandName]: wire.Output<C> }
type ContractOutputs = { [C in contract.CommandName]: contract.Output<C> }
type ContractEvents = { [E in contract.EventName]: contract.EventPayload<E> }
interface Rest {
  codes: wire.ErrorCode
  closings: wire.ClosingCode
  error: wire.ErrorBody
  closing: wire.Closing
  report: wire.Report
  reaction: wire.Reaction
}
interface ContractRest {
  codes: contract.ErrorCode
  closings: contract.ClosingCode
  error: contract.ErrorBody
  closing: contract.Closing
  report: contract.Report
  reaction: contract.Reaction
}

/** Takes only a type of which every field is true: the compiler is the test. */
function mustBeSame<A extends All<A>>(): A | undefined {
  return undefined
}

t.test('and the compiler takes them for the contract’s', async (t) => {
  mustBeSame<Sames<Inputs, ContractInputs>>()
  mustBeSame<Sames<Outputs, ContractOutputs>>()
  mustBeSame<Sames<wire.Events, ContractEvents>>()
  mustBeSame<Sames<Rest, ContractRest>>()
  t.pass('by `npm run typecheck`')
})
