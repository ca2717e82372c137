import type { MyChat } from '../../client/src/index.js'
import { useChatClient } from '../../client/src/react.js'
import { useRun } from '../app/use-run.js'
import { Avatar } from '../parts/avatar.js'
import { Button } from '../parts/button.js'
import { useLanguage } from '../words/index.js'
import { usePages } from './use-pages.js'

const PAGE = 50

/** Who is kept out of a group. */
export function Bans({ chat }: { chat: MyChat }) {
  const client = useChatClient()
  const run = useRun()
  const { words } = useLanguage()
  const { chatId } = chat
  const bans = usePages(async (cursor) => {
    const page = await client.command('list_bans', { chatId, limit: PAGE, ...(cursor !== undefined && { cursor }) })
    return { items: page.bans, nextCursor: page.nextCursor }
  }, chat.revision - chat.lastSeq)
  if (bans.items === null || bans.items.length === 0) return null

  const unban = async (userId: string): Promise<void> => {
    if (await run(() => client.command('unban_member', { chatId, userId }))) bans.reload()
  }
  return (
    <section class="info-part">
      <h3>{words.info.banned}</h3>
      <ul class="member-list">
        {bans.items.map(({ user }) => (
          <li key={user.userId} class="member">
            <Avatar id={user.userId} name={user.name} url={user.avatarUrl} />
            <bdi class="member-text one-line">{user.name}</bdi>
            <Button look="quiet" onClick={() => void unban(user.userId)}>
              {words.info.unban}
            </Button>
          </li>
        ))}
      </ul>
      {bans.hasMore && (
        <Button look="quiet" onClick={bans.more}>
          {words.info.more}
        </Button>
      )}
    </section>
  )
}
