import type { Guard } from '../guard.js'

const RULES = 'services/notices/notices > unread notices, postgres'
const NOTHING_ELSE = `${RULES} > nobody is told of what they read, wrote, muted or blocked, or what is gone`
const MODEL = 'services/notices/model > whom a scan tells of what is what the model says, postgres'
const SENDERS = 'plugins/push/senders'
const WEB = 'plugins/push/web'

/** Who is told of what they have not read, and what leaves by push. */
export const NOTICES: Guard[] = [
  {
    name: 'notices told twice',
    about: 'What was told is not told again.',
    file: 'services/notices/decisions.ts',
    find: "[UNREAD_FROM, 'b.notified_seq',",
    replace: '[UNREAD_FROM,',
    tests: [`${RULES} > who is away and has not read is told, once`],
  },
  {
    name: 'notices (rows that are held)',
    about: 'Nobody is forgotten whose row somebody else held just then.',
    file: 'services/notices/decisions.ts',
    find: 'FROM (SELECT user_id, chat_id, through_seq FROM asked EXCEPT',
    replace: 'FROM (SELECT user_id, chat_id, through_seq FROM b EXCEPT',
    tests: ['services/notices/held > members whose rows somebody holds are decided of by the next scan'],
  },
  {
    name: 'notices of the blocked',
    about: 'Nobody is told of who they have blocked.',
    file: 'services/notices/decisions.ts',
    find: 'isMeant, IS_WELCOME]',
    replace: 'isMeant]',
    tests: [NOTHING_ELSE],
  },
  {
    name: 'notices in large chats',
    about: 'In large chats only who is named is told.',
    file: 'services/notices/decisions.ts',
    find: "'x.sender_id <> b.user_id', isMeant,",
    replace: "'x.sender_id <> b.user_id', isMeant.replace('OR', 'OR true OR'),",
    tests: [MODEL],
  },
  {
    name: 'notices to who is here',
    about: 'Who has a living socket is not told.',
    file: 'services/notices/scan.ts',
    find: 'some.filter(({ userId }) => !known.get(userId)?.isOnline)',
    replace: 'some',
    tests: [`${RULES} > who is here is told when they leave, of what they have not read`],
  },
  {
    name: 'devices of others',
    about: 'Nobody forgets a device of another.',
    file: 'services/devices/index.ts',
    find: 'WHERE device_id = $1 AND user_id = $2',
    replace: 'WHERE device_id = $1 AND $2::text IS NOT NULL',
    tests: [`${WEB} > Web Push: what is registered is told, encrypted and signed, until it is gone`],
  },
  {
    name: 'content of pushes',
    about: 'Without PUSH_CONTENT nothing of what was written is in a push.',
    file: 'plugins/push/message.ts',
    find: 'if (!hasContent || !lastMessage)',
    replace: 'if (!lastMessage)',
    tests: [`${WEB} > without PUSH_CONTENT nothing of what was written leaves`],
  },
  {
    name: 'pushes to private addresses',
    about: 'Endpoints that users name are reached at public addresses alone.',
    file: 'plugins/push/post.ts',
    find: '...(isGuarded && { lookup: lookUpPublic }),',
    replace: '',
    tests: [`${SENDERS} > what strangers name is reached at public addresses alone`],
  },
  {
    name: 'pushes to private addresses (numbers)',
    about: 'So where the URL holds the address itself, which is never looked up.',
    file: 'plugins/push/post.ts',
    find: 'if (isGuarded) mustNotBePrivate(url)',
    replace: '',
    tests: [`${SENDERS} > what strangers name is reached at public addresses alone`],
  },
]
