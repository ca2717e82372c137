import { type TObject, type TProperties, type TSchema, Type } from '@sinclair/typebox'
import type { RestTwin } from './commands.js'
import { Closed } from './fields.js'

/** The names of the parts of a URL, as `/chats/:chatId` has them. */
export const urlParts = (url: string): string[] => [...url.matchAll(/:(\w+)/g)].flatMap(([, part]) => part ?? [])

/** Whether a command's own fields are in the query; else they are the body. */
export const usesQuery = ({ method }: RestTwin): boolean => method === 'GET' || method === 'DELETE'

/** How REST takes a command's input apart: what stands in the URL, and the fields that are its query or its body. */
export function requestOf(input: TObject, rest: RestTwin): { params: TObject; own: TObject } {
  if (rest.single) return { params: Closed(itemsOf(input, rest.single)), own: Closed({}) }
  const parts = urlParts(rest.url)
  return {
    params: Closed(Type.Required(Type.Pick(input, parts)).properties),
    own: Closed(Type.Omit(input, parts).properties),
  }
}

/** The URL parts that become lists of one, each checked as the list's item. */
function itemsOf({ properties }: TObject, single: Record<string, string>): TProperties {
  return Object.fromEntries(Object.entries(single).map(([part, list]) => [part, properties[list]?.items as TSchema]))
}
