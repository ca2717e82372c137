import { useChatClient, useStore } from '../../client/src/react.js'
import { Avatar } from '../parts/avatar.js'
import { Popup } from '../parts/popup.js'
import { useLanguage } from '../words/index.js'

/** Who has read a message. */
export function Readers({ userIds, anchor, onClose }: { userIds: string[]; anchor: Element; onClose(): void }) {
  const users = useStore(useChatClient().users)
  const { words } = useLanguage()
  return (
    <Popup anchor={anchor} align="end" label={words.message.readBy} onClose={onClose}>
      <div class="readers">
        <h3>{words.message.readBy}</h3>
        <ul>
          {userIds.map((userId) => {
            const name = users[userId]?.name ?? words.somebody
            return (
              <li key={userId}>
                <Avatar id={userId} name={name} url={users[userId]?.avatarUrl ?? null} size="s" />
                <bdi class="one-line">{name}</bdi>
              </li>
            )
          })}
        </ul>
      </div>
    </Popup>
  )
}
