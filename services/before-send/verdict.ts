import { type Static, Type } from '@sinclair/typebox'
import { Content, Metadata, Text } from '../../contract/fields.js'
import { compile } from '../validator.js'

const MAX_REASON_CHARS = 500

/** What the operator's service answers; fields that we do not know are theirs to add. */
const Verdict = Type.Union([
  Type.Object({ action: Type.Literal('allow') }),
  Type.Object({ action: Type.Literal('refuse'), reason: Type.Optional(Text(MAX_REASON_CHARS)) }),
  Type.Object({
    action: Type.Literal('replace'),
    content: Type.Optional(Content),
    metadata: Type.Optional(Metadata),
  }),
])
export type Verdict = Static<typeof Verdict>

const isValid = compile(Verdict)
const isVerdict = (value: unknown): value is Verdict => isValid(value)

/** An answer's text as what it says; throws where it says nothing that we understand. */
export function readVerdict(text: string): Verdict {
  const value: unknown = JSON.parse(text)
  if (!isVerdict(value))
    throw new Error('the answer is no { action: "allow" | "refuse" | "replace" }, or holds what no message can')
  return value
}
