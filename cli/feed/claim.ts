import { createInterface } from 'node:readline'
import { wrongUse } from '../command.js'

/** Revisions from one through another, as a hook brings them. */
export type Span = [from: number, through: number]

/** What a receiver says that it has of each chat: spans, apart from each other and in order. */
export type Claim = Map<string, Span[]>

// A chat's id may hold spaces; what stands last is a number.
const LINE = /^(.*\S)\s+(\d{1,10})(?:-(\d{1,10}))?$/

/** Reads lines of a chat and a revision, or of revisions as 3-9; empty ones, and those that begin with #, say nothing. */
export async function readClaim(input: NodeJS.ReadableStream): Promise<Claim> {
  const claim: Claim = new Map()
  let number = 0
  for await (const text of createInterface({ input })) {
    number += 1
    const line = text.trim()
    if (line === '' || line.startsWith('#')) continue
    const [, chatId, first, last = first] = LINE.exec(line) ?? []
    const [from, through] = [Number(first), Number(last)]
    if (chatId === undefined || through < from)
      throw wrongUse(`Line ${number} is no chat and revision: write them as general 12, or general 3-12.`)
    add(claim, chatId, from, through)
  }
  for (const [chatId, spans] of claim) claim.set(chatId, joined(spans))
  return claim
}

/** Most come in their order, and lengthen the last span. */
function add(claim: Claim, chatId: string, from: number, through: number): void {
  const spans = claim.get(chatId)
  const last = spans?.at(-1)
  if (!spans) claim.set(chatId, [[from, through]])
  else if (last && from >= last[0] && from <= last[1] + 1) last[1] = Math.max(last[1], through)
  else spans.push([from, through])
}

function joined(spans: Span[]): Span[] {
  const apart: Span[] = []
  for (const [from, through] of spans.sort(([a], [b]) => a - b)) {
    const last = apart.at(-1)
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], through)
    else apart.push([from, through])
  }
  return apart
}
