import { useState } from 'preact/hooks'
import type { MyChat } from '../../client/src/index.js'
import { useChatClient, useMe } from '../../client/src/react.js'
import { Button } from '../parts/button.js'
import { useLanguage } from '../words/index.js'
import { AddPeople } from './add-people.js'
import { MemberRow } from './member-row.js'
import { useOthers } from './use-others.js'
import { usePages } from './use-pages.js'

const PAGE = 100

/** Who is in a group. */
export function Members({ chat, onOpen }: { chat: MyChat; onOpen(chatId: string): void }) {
  const client = useChatClient()
  const { words } = useLanguage()
  const me = useMe()
  const { chatId } = chat
  const members = usePages(async (cursor) => {
    const page = await client.command('list_members', { chatId, limit: PAGE, ...(cursor !== undefined && { cursor }) })
    return { items: page.members, nextCursor: page.nextCursor }
    // A message changes nobody's place, and comes more often than people do.
  }, chat.revision - chat.lastSeq)
  const [isAdding, setAdding] = useState(false)
  const canAdd = chat.myRole !== 'member'
  const ids = (members.items ?? []).map(({ user }) => user.userId)
  const presences = useOthers(ids.slice(0, PAGE))

  return (
    <section class="info-part">
      <header class="info-part-header">
        <h3>
          {words.info.people} <span class="soft">{chat.memberCount}</span>
        </h3>
        {canAdd && (
          <Button look="quiet" icon="add" aria-expanded={isAdding} onClick={() => setAdding(!isAdding)}>
            {words.info.addPeople}
          </Button>
        )}
      </header>
      {isAdding && <AddPeople chatId={chatId} members={ids} onDone={() => setAdding(false)} />}
      {members.items === null ? (
        <p class="soft">{words.loading}</p>
      ) : (
        <ul class="member-list">
          {members.items.map((member) => (
            <MemberRow
              key={member.user.userId}
              member={member}
              myRole={chat.myRole}
              isMe={member.user.userId === me?.userId}
              presence={presences[member.user.userId]?.status}
              onOpen={onOpen}
            />
          ))}
        </ul>
      )}
      {members.hasMore && (
        <Button look="quiet" onClick={members.more}>
          {words.info.more}
        </Button>
      )}
    </section>
  )
}
