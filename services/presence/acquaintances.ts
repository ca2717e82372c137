import type { Hub } from '../hub/index.js'
import type { Audience, Client } from '../hub/ports.js'
import type { Blocks } from '../users/blocks.js'
import { pairOf, type Visibility } from './visibility.js'

export interface AcquaintancesOptions {
  hub: Pick<Hub, 'serves' | 'watchersOf'>
  visibility: Pick<Visibility, 'pushChats' | 'visiblePairs'>
  blocks: Pick<Blocks, 'areApart' | 'clientsApart'>
  maxMembers: number
}

/** An audience whose parts are all said. */
export type Acquaintances = Required<Audience> & { chatIds: string[]; clients: Client[] }

/**
 * Who of this node is told what is new of some users: all in their chats that are small enough, and watchers who may know; nobody who is
 * apart from them.
 */
export function createAcquaintances({ hub, visibility, blocks, maxMembers }: AcquaintancesOptions) {
  return async function acquaintancesOf(userIds: string[]): Promise<(userId: string) => Acquaintances> {
    const watched = userIds.filter((userId) => hub.watchersOf(userId).size > 0)
    const viewers = new Set(watched.flatMap((userId) => Array.from(hub.watchersOf(userId), (client) => client.userId)))
    const [chats, pairs] = await Promise.all([
      visibility.pushChats(userIds, maxMembers),
      watched.length > 0 ? visibility.visiblePairs([...viewers], watched) : new Set<string>(),
    ])
    return (userId) => {
      const mayKnow = (viewerId: string) =>
        viewerId === userId || (pairs.has(pairOf(viewerId, userId)) && !blocks.areApart(viewerId, userId))
      return {
        chatIds: (chats.get(userId) ?? []).filter(hub.serves),
        clients: [...hub.watchersOf(userId)].filter((client) => mayKnow(client.userId)),
        except: blocks.clientsApart(userId),
      }
    }
  }
}
