import type { Change } from 'chat-socket-service/contract'
import { Webhook } from 'standardwebhooks'

/** What the chat posts: a range of one chat's changes, or somebody who has not read what came. */
type Hook =
  | { type: 'chat.changes'; data: { chatId: string; from: number; through: number; changes: Change[] } }
  | { type: 'member.unread'; data: { userId: string; chatId: string; unreadCount: number; total: number } }

/** A receiver of hooks; what it hears stands here, where yours has a database. */
export function createReceiver(secret: string) {
  const webhook = new Webhook(secret)
  /** How far each chat has been heard: keep it in the transaction that keeps what you made of the changes. */
  const heard = new Map<string, number>()
  const notices: object[] = []
  let changes = 0
  let missed = 0

  /** Takes a hook as it came, byte for byte; answers the status. It may come twice, and then changes nothing. */
  function receive(headers: Record<string, string>, body: string): number {
    try {
      webhook.verify(body, headers)
    } catch {
      return 401
    }
    const hook = JSON.parse(body) as Hook
    if (hook.type === 'member.unread') notices.push(hook.data)
    if (hook.type !== 'chat.changes') return 204
    const { chatId, from, through } = hook.data
    const last = heard.get(chatId) ?? from - 1
    // The proof that nothing was missed: each range begins where the last one ended, or before.
    if (from > last + 1) missed += from - last - 1
    changes += hook.data.changes.filter(({ revision }) => revision > last).length
    heard.set(chatId, Math.max(last, through))
    return 204
  }

  return { receive, state: () => ({ heard: Object.fromEntries(heard), changes, missed, notices }) }
}
