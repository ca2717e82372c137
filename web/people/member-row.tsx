import { useState } from 'preact/hooks'
import type { Member, PresenceStatus, Role } from '../../client/src/index.js'
import { useChatClient, useStore } from '../../client/src/react.js'
import { useRun } from '../app/use-run.js'
import { Avatar } from '../parts/avatar.js'
import { Confirm } from '../parts/dialog.js'
import { Menu, type MenuItem } from '../parts/menu.js'
import { useLanguage } from '../words/index.js'

const HOUR_MS = 3_600_000

export interface MemberRowProps {
  member: Member
  myRole: Role
  isMe: boolean
  presence: PresenceStatus | undefined
  onOpen(chatId: string): void
}

type Question = 'remove' | 'ban' | 'block'

/** Somebody in a group, and what one may do with them. */
export function MemberRow({ member, myRole, isMe, presence, onOpen }: MemberRowProps) {
  const client = useChatClient()
  const run = useRun()
  const { words, dates } = useLanguage()
  const [question, setQuestion] = useState<Question | null>(null)
  const items = useItems(member, myRole, onOpen, setQuestion)
  const { chatId, user, role, mutedUntil } = member
  const { userId, name } = user
  const isSilenced = mutedUntil !== null && Date.parse(mutedUntil) > Date.now()

  const questions = {
    remove: { title: words.info.removeTitle(name), text: words.info.removeText, confirmLabel: words.info.remove },
    ban: { title: words.info.banTitle(name), text: words.info.banText, confirmLabel: words.info.ban },
    block: { title: words.info.blockTitle(name), text: words.info.blockText, confirmLabel: words.info.block },
  }
  const commands = {
    remove: () => client.command('remove_member', { chatId, userId }),
    ban: () => client.command('ban_member', { chatId, userId }),
    block: () => client.command('block_user', { userId }),
  }
  return (
    <li class="member">
      <Avatar id={userId} name={name} url={user.avatarUrl} presence={presence} size="m" />
      <span class="member-text">
        <span class="one-line">
          <bdi>{name}</bdi>
          {isMe && <span class="soft"> · {words.you}</span>}
          {presence && <span class="heard">, {words.presence[presence]}</span>}
        </span>
        <span class="soft member-note">
          {isSilenced && mutedUntil !== null ? words.info.writesAgain(dates.full(mutedUntil)) : words.info[role]}
        </span>
      </span>
      {!isMe && <Menu label={words.info.memberMenu(name)} items={items} />}
      {question && (
        <Confirm
          {...questions[question]}
          cancelLabel={words.cancel}
          onConfirm={() => void run(commands[question])}
          onClose={() => setQuestion(null)}
        />
      )}
    </li>
  )
}

function useItems(member: Member, myRole: Role, onOpen: (chatId: string) => void, ask: (question: Question) => void) {
  const client = useChatClient()
  const run = useRun()
  const { words } = useLanguage()
  const blocked = useStore(client.blockedUserIds)
  const { chatId, user, role, mutedUntil } = member
  const { userId } = user
  const isSilenced = mutedUntil !== null && Date.parse(mutedUntil) > Date.now()
  // An admin rules over members, the owner over all.
  const rules = myRole === 'owner' || (myRole === 'admin' && role === 'member')

  const write = () =>
    run(async () => {
      const { chat } = await client.command('create_chat', { type: 'direct', memberIds: [userId] })
      onOpen(chat.chatId)
    })
  const setRole = (role: Role) => () => void run(() => client.command('set_member_role', { chatId, userId, role }))
  const mute = (ms: number | null) => () => {
    const until = ms === null ? null : new Date(Date.now() + ms).toISOString()
    void run(() => client.command('mute_member', { chatId, userId, until }))
  }
  const items: (MenuItem | null)[] = [{ label: words.info.writeTo, icon: 'message', onSelect: () => void write() }]
  if (myRole === 'owner') {
    if (role !== 'admin') items.push({ label: words.info.makeAdmin, icon: 'shield', onSelect: setRole('admin') })
    if (role !== 'member') items.push({ label: words.info.makeMember, icon: 'person', onSelect: setRole('member') })
    if (role !== 'owner') items.push({ label: words.info.makeOwner, icon: 'shield', onSelect: setRole('owner') })
  }
  if (rules) {
    items.push(
      isSilenced
        ? { label: words.info.unmute, icon: 'bell', onSelect: mute(null) }
        : { label: words.info.muteHour, icon: 'mute', onSelect: mute(HOUR_MS) },
      null,
      { label: words.info.remove, icon: 'leave', isDanger: true, onSelect: () => ask('remove') },
      { label: words.info.ban, icon: 'ban', isDanger: true, onSelect: () => ask('ban') },
    )
  } else items.push(null)
  items.push(
    blocked.includes(userId)
      ? {
          label: words.info.unblock,
          icon: 'ban',
          onSelect: () => void run(() => client.command('unblock_user', { userId })),
        }
      : { label: words.info.block, icon: 'ban', isDanger: true, onSelect: () => ask('block') },
  )
  return items
}
