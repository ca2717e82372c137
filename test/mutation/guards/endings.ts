import { definerOf, type Guard } from '../guard.js'

const SUITE = 'services/log/endings > what ends in a chat, postgres'

/** What keeps hidden what has ended, and lets its rows go. */
export const ENDINGS: Guard[] = [
  {
    name: 'expired (pages)',
    about: 'What has expired is on no page, though its row is there.',
    file: 'services/log/history.ts',
    find: 'greatest(c.first_seq, CASE',
    replace: 'greatest(1, CASE',
    tests: [`${SUITE} > expired messages are gone everywhere`],
  },
  {
    name: 'expired (edit, delete, react)',
    about: 'Nor is it changed.',
    file: definerOf('log_hold_message'),
    find: "m.id = of_message AND m.seq >= c.first_seq AND (c.history_visibility = 'all' OR m.seq >= b.visible_from_seq)",
    replace: "m.id = of_message AND (c.history_visibility = 'all' OR m.seq >= b.visible_from_seq)",
    tests: [`${SUITE} > expired messages are gone everywhere`],
  },
  {
    name: 'expired (sync)',
    about: 'A line of what has expired tells just that.',
    file: 'services/log/reader.ts',
    find: 'SELECT * FROM messages WHERE id = l.message_id AND seq >= c.first_seq',
    replace: 'SELECT * FROM messages WHERE id = l.message_id',
    tests: [`${SUITE} > expired messages are gone everywhere`],
  },
  {
    name: 'reset below the log',
    about: 'From below what is kept of a log nobody goes on as if nothing were missing.',
    file: 'services/log/reader.ts',
    find: 'countOf(lines, span.chatId) < span.through - span.after',
    replace: 'false',
    tests: [`${SUITE} > a log is kept from a line on`],
  },
  {
    name: 'out of step below the log',
    about: 'Sockets that missed what is no longer kept come back.',
    file: 'services/feed/healing.ts',
    find: '          onLost(served)\n',
    replace: '',
    tests: [`${SUITE} > a node that lags below it resets its sockets`],
  },
  {
    name: 'barrier of a deletion',
    about: 'Everybody is out of a chat by the revision that deleted it.',
    file: 'services/feed/index.ts',
    find: " || kind === 'chat_deleted'",
    replace: '',
    tests: [`${SUITE} > a chat is deleted`],
  },
  {
    name: 'nobody joins what is deleted',
    about: 'Who found a chat just before it was deleted does not come into it.',
    file: definerOf('log_refuse_joining'),
    find: 'WHERE c.deleted_at IS NOT NULL) THEN',
    replace: 'WHERE false) THEN',
    tests: [`${SUITE} > nobody comes into a chat that is being deleted`],
  },
  {
    name: 'purge after a crash',
    about: 'What a move leaves below it is noted with it.',
    file: definerOf('log_note_purge'),
    find: 'INSERT INTO purges (chat_id, at) VALUES (of_chat, clock_timestamp()) ON CONFLICT DO NOTHING',
    replace: 'SELECT',
    tests: [`${SUITE} > what grows old expires, and a crash between is healed`],
  },
]
