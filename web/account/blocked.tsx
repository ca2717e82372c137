import { useChatClient, useStore } from '../../client/src/react.js'
import { useRun } from '../app/use-run.js'
import { Avatar } from '../parts/avatar.js'
import { Button } from '../parts/button.js'
import { useLanguage } from '../words/index.js'

/** Whom one blocks. */
export function Blocked() {
  const client = useChatClient()
  const run = useRun()
  const { words } = useLanguage()
  const ids = useStore(client.blockedUserIds)
  const users = useStore(client.users)
  return (
    <section class="info-part">
      <h3>{words.account.blocked}</h3>
      {ids.length === 0 ? (
        <p class="soft">{words.account.nobodyBlocked}</p>
      ) : (
        <ul class="member-list">
          {ids.map((userId) => (
            <li key={userId} class="member">
              <Avatar id={userId} name={users[userId]?.name ?? userId} url={users[userId]?.avatarUrl ?? null} />
              <bdi class="member-text one-line">{users[userId]?.name ?? userId}</bdi>
              <Button look="quiet" onClick={() => void run(() => client.command('unblock_user', { userId }))}>
                {words.info.unblock}
              </Button>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
