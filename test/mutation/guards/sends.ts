import { definerOf, type Guard } from '../guard.js'

const SENDS = definerOf('log_append_more')
const OWN =
  'services/log/sends > the uploads that a message carries, postgres > are each whole, one’s own, of this chat and of no message yet; else none is taken'
const REPEATED = 'services/log/sends > what a retry must repeat, postgres'
const LISTED = 'services/log/mentions > list_mentions, postgres'

/** What a send carries beside its text, and who finds it. */
export const SENT: Guard[] = [
  {
    name: 'mentions of members',
    about: 'Who is no member is not mentioned.',
    file: SENDS,
    find: 'WHERE m.chat_id = of_chat AND m.user_id = a.user_id OFFSET 0) x ON true',
    replace: 'OFFSET 0) x ON true',
    tests: [
      'services/log/sends > whom a message mentions, postgres > are members when it is stored, in the order asked, and others are passed over',
    ],
  },
  {
    name: 'mentions of everyone',
    about: 'Everyone is mentioned by owners and admins.',
    file: SENDS,
    find: "AND (m.role <> 'member' OR c.type = 'direct')",
    replace: '',
    tests: [
      'services/log/sends > whom a message mentions, postgres > are everyone where an owner, an admin or one of two says so',
    ],
  },
  {
    name: 'upload of its sender',
    about: 'Nobody sends what another uploaded.',
    file: SENDS,
    find: ' AND x.user_id = by_user\n',
    replace: '\n',
    tests: [OWN],
  },
  {
    name: 'upload for its chat',
    about: 'Nor elsewhere than they said.',
    file: SENDS,
    find: 'AND x.chat_id = of_chat AND x.user_id = by_user\n',
    replace: 'AND x.user_id = by_user\n',
    tests: [OWN],
  },
  {
    name: 'upload that is whole',
    about: 'Nor before it is there.',
    file: SENDS,
    find: 'x.stored_at IS NOT NULL AND ',
    replace: '',
    tests: [OWN],
  },
  {
    name: 'upload of one message',
    about: 'Nor twice.',
    file: SENDS,
    find: 'x.message_id IS NULL AND ',
    replace: '',
    tests: [OWN],
  },
  {
    name: 'upload that was dropped',
    about: 'Nor when it is to go.',
    file: SENDS,
    find: ' AND x.dropped_at IS NULL OFFSET 0',
    replace: ' OFFSET 0',
    tests: [OWN],
  },
  {
    name: 'uploads of members',
    about: 'A stranger to a chat is told nothing of uploads.',
    file: definerOf('log_find_more'),
    find: '\n    AND EXISTS (SELECT 1 FROM members m WHERE m.chat_id = of_chat AND m.user_id = by_user)',
    replace: '',
    tests: [OWN],
  },
  {
    name: 'uploads of a retry',
    about: 'A retry finds its message, which has taken its uploads.',
    file: definerOf('log_find_more'),
    find: "FROM log_find_sent(of_chat, by_user, send->>'client_message_id')) THEN",
    replace: 'WHERE false) THEN',
    tests: [
      'services/log/sends > the uploads that a message carries, postgres > are found again by a retry, in the same batch and after it',
    ],
  },
  {
    name: 'hash of what is carried',
    about: 'Other mentions or uploads under a key are a conflict.',
    file: definerOf('log_body'),
    find: "|| coalesce(asked, '') ||",
    replace: '||',
    tests: [REPEATED],
  },
  {
    name: 'history (around a message)',
    about: 'Nothing is around a message that one may not see.',
    file: 'services/log/history.ts',
    find: 'AND seq >= mine.first_seq OFFSET 0',
    replace: 'OFFSET 0',
    tests: ['services/log/mentions > one message, and what is around it, postgres'],
  },
  {
    name: 'history (mentions)',
    about: 'Nor is one mentioned before the joining.',
    file: 'services/log/mentions.ts',
    find: 'AND n.seq >= mine.first_seq',
    replace: '',
    tests: [`${LISTED} > are none from before the joining`],
  },
  {
    name: 'mentions below the edge',
    about: 'What was cut off is on a later page.',
    file: 'services/log/mentions.ts',
    find: 'AND (edge.id IS NULL OR n.message_id >= edge.id)',
    replace: '',
    tests: ['services/log/mentions > mentions in many chats, page by page, postgres'],
  },
]
