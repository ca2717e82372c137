import { definerOf, type Guard } from '../guard.js'

const MODERATION = 'services/log/moderation'
const MUTES = `${MODERATION} > mutes, postgres > a muted member writes nothing`
const SLOW = `${MODERATION} > slow mode and freezing, postgres`
const BANS = `${MODERATION} > bans, postgres`
const BLOCKED = 'services/users/blocks > two of whom one blocks the other, postgres'
const JUDGE = 'services/before-send/before-send'

/** What moderators and users do about others, and what an operator's judge says. */
export const MODERATION_GUARDS: Guard[] = [
  {
    name: 'mutes',
    about: 'A muted member writes nothing.',
    file: definerOf('log_refusal'),
    find: "WHEN muted_until > at THEN 'muted'",
    replace: '',
    tests: [MUTES],
  },
  {
    name: 'frozen chats',
    about: 'Plain members write nothing in one.',
    file: definerOf('log_refusal'),
    find: "WHEN is_frozen AND of_role = 'member' AND by_service IS NOT TRUE THEN 'frozen' END",
    replace: 'END',
    tests: [`${MODERATION} > slow mode and freezing, postgres > a frozen chat is for owners, admins and services`],
  },
  {
    name: 'rules (edits)',
    about: 'Who may not write may not edit.',
    file: definerOf('log_edit_message'),
    find: `WHEN held.sender_id <> by_actor THEN 'forbidden'
    WHEN ruled.refusal IS NOT NULL THEN ruled.refusal`,
    replace: "WHEN held.sender_id <> by_actor THEN 'forbidden'",
    tests: [MUTES],
  },
  {
    name: 'rules (reactions)',
    about: 'Nor react.',
    file: definerOf('log_react'),
    find: `WHEN held.chat_id IS NULL THEN 'no_message'
    WHEN ruled.refusal IS NOT NULL THEN ruled.refusal`,
    replace: "WHEN held.chat_id IS NULL THEN 'no_message'",
    tests: [MUTES],
  },
  {
    name: 'slow mode',
    about: 'A member sends one message each so many seconds.',
    file: definerOf('log_refuse_sends'),
    find: 'OR a.last_sent_at + a.pause > now_ms))',
    replace: '))',
    tests: [SLOW],
  },
  {
    name: 'slow mode in a batch',
    about: 'Of what one member sends at once, the first is stored.',
    file: definerOf('log_refuse_sends'),
    find: 'AND (a.first_ord <> a.first_of_sender OR',
    replace: 'AND (false OR',
    tests: [SLOW],
  },
  {
    name: 'whom one may moderate',
    about: 'Nobody oneself, and an admin no owner and no other admin.',
    file: definerOf('log_may_moderate'),
    find: 'IF by_actor = of_user\n    OR (EXISTS',
    replace: 'IF false AND (EXISTS',
    tests: [`${MODERATION} > mutes, postgres > who may mute whom`],
  },
  {
    name: 'bans keep out',
    about: 'Who is banned is not added again.',
    file: definerOf('log_add_members'),
    find: 'IF cardinality(added) > 0 THEN\n    outcome',
    replace: 'IF false THEN\n    outcome',
    tests: [`${BANS} > a ban takes out and keeps out`],
  },
  {
    name: 'bans take out',
    about: 'Who is banned is a member no longer.',
    file: definerOf('log_ban_member'),
    find: '  PERFORM log_leave(of_chat, by_actor, of_user);\nEND $$;\n--> statement-breakpoint\n-- Lets a user be added again',
    replace: 'END $$;\n--> statement-breakpoint\n-- Lets a user be added again',
    tests: [`${BANS} > a ban takes out and keeps out`],
  },
  {
    name: 'blocks (messages)',
    about: 'Between two of whom one blocks the other there are no direct messages.',
    file: definerOf('log_refusal'),
    find: "WHEN is_blocked THEN 'blocked'",
    replace: '',
    tests: [`${BLOCKED}`],
  },
  {
    name: 'blocks (new chats)',
    about: 'Nor a new direct chat.',
    file: definerOf('log_create_chat'),
    find: "  IF is_apart THEN\n    RAISE EXCEPTION 'the two are apart' USING ERRCODE = 'BLOCK';\n  END IF;\n\n  chat_id := new_id;",
    replace: '  chat_id := new_id;',
    tests: ['services/users/blocks'],
  },
  {
    name: 'blocks (typing)',
    about: 'Nor typing.',
    file: 'services/users/blocks.ts',
    find: 'clientsApart: (userId: string): Client[] => [...viewers.get(userId)].flatMap(hub.clientsOf),',
    replace: 'clientsApart: (_userId: string): Client[] => [],',
    tests: [`${BLOCKED}`],
  },
  {
    name: 'typing in chats where one may not write',
    about: 'Who may not write does not type.',
    file: 'services/log/write-rules.ts',
    find: 'if (rule.refusal) throw forbidden(rule.refusal, rule.until)\n',
    replace: '',
    tests: [MUTES],
  },
  {
    name: 'reports (members)',
    about: 'One reports what one may see.',
    file: definerOf('log_report_message'),
    find: 'JOIN members b ON b.chat_id = m.chat_id AND b.user_id = by_reporter',
    replace: 'LEFT JOIN members b ON b.chat_id = m.chat_id AND b.user_id = by_reporter',
    tests: ['services/users/blocks > reports, postgres'],
  },
  {
    name: 'erased messages in reports',
    about: 'An erasure takes what reports have kept, too.',
    file: 'services/log/erasure.ts',
    find: 'UPDATE reports r SET content = NULL FROM',
    replace: 'UPDATE reports r SET content = r.content FROM',
    tests: ['services/users/blocks > reports, postgres', 'routes/users'],
  },
  {
    name: 'judge (refusals)',
    about: 'What BEFORE_SEND_URL refuses is not stored.',
    file: 'services/before-send/index.ts',
    find: "if (verdict.action === 'refuse') throw refused(verdict.reason)\n",
    replace: "if (verdict.action === 'refuse') return undefined\n",
    tests: [`${JUDGE} > a judge allows, refuses or replaces what users write, embedded > a refusal`],
  },
  {
    name: 'judge (closed)',
    about: 'Where no judge may mean no message, there is none.',
    file: 'services/before-send/index.ts',
    find: "if (onFailure === 'open') return undefined\n",
    replace: 'return undefined\n',
    tests: [`${JUDGE} > a judge that gives no answer that counts, embedded > closed`],
  },
  {
    name: 'judge (size of answers)',
    about: 'An answer without end fills no memory.',
    file: 'services/before-send/ask.ts',
    find: 'if (bytes > MAX_PAYLOAD_BYTES)',
    replace: 'if (false)',
    tests: [`${JUDGE} > a judge that gives no answer that counts, embedded`],
  },
]
