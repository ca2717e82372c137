import { definerOf, type Guard } from '../guard.js'

const PINS = 'services/log/pins > pins, postgres'
const EDITS = 'services/log/edits > what of a message is edited, postgres'

/** What may be pinned and named in messages, by whom. */
export const MESSAGES: Guard[] = [
  {
    name: 'pin as owner or admin',
    about: 'A plain member of a group pins nothing.',
    file: definerOf('log_change_messages'),
    find: "WHEN change.kind = 'pin' AND held.role = 'member' AND held.type <> 'direct' THEN 'forbidden'",
    replace: '',
    tests: [`${PINS} > a pin is a change that all are told, once`],
  },
  {
    name: 'pins of a chat',
    about: 'A chat has at most 100 pinned messages.',
    file: definerOf('log_apply_pin'),
    find: 'IF most_pins <=',
    replace: 'IF most_pins + 1000000 <=',
    tests: [`${PINS} > a chat has`],
  },
  {
    name: 'order of pins',
    about: 'What is pinned later has a later time, also within a millisecond.',
    file: definerOf('log_apply_pin'),
    find: "greatest(date_trunc('milliseconds', clock_timestamp()), max(p.pinned_at) + interval '1 millisecond')",
    replace: "date_trunc('seconds', clock_timestamp())",
    tests: [`${PINS} > the last pinned comes first`],
  },
  {
    name: 'history (pins)',
    about: 'Who joined later sees no pin of what was before.',
    file: 'services/log/pins.ts',
    find: "AND (c.history_visibility = 'all' OR x.seq >= b.visible_from_seq)",
    replace: '',
    tests: [`${PINS} > are of messages that one may see`],
  },
  {
    name: 'history (changes told at once)',
    about: 'An edit that its own node tells hides what was before the joining, too.',
    file: 'services/log/changed.ts',
    find: '...(hiddenFrom && { hiddenFrom })',
    replace: '',
    tests: [`${EDITS} > who came later is told of the place alone`],
  },
  {
    name: 'mentions of members (edit)',
    about: 'An edit names nobody who is no member.',
    file: definerOf('log_mentions'),
    find: '  JOIN LATERAL (SELECT 1 FROM members x',
    replace: '  LEFT JOIN LATERAL (SELECT 1 FROM members x',
    tests: [`${EDITS} > mentions are of members`],
  },
  {
    name: 'mention of everyone',
    about: 'A plain member of a group does not call everyone.',
    file: definerOf('log_mentions'),
    find: "AND (x.role <> 'member' OR c.type = 'direct')",
    replace: '',
    tests: [`${EDITS} > mentions are of members`],
  },
  {
    name: 'an edit says something',
    about: 'No edit leaves a message without content, metadata and attachments.',
    file: definerOf('log_apply_edit'),
    find: "IF fresh.content IS NULL AND fresh.metadata IS NULL AND fresh.attachments IS NULL THEN RETURN 'empty'; END IF;",
    replace: '',
    tests: [`${EDITS} > content goes where metadata stays`],
  },
  {
    name: 'a deletion takes the pin',
    about: 'A deleted message is pinned no longer.',
    file: definerOf('log_blank_message'),
    find: 'DELETE FROM pins p WHERE p.chat_id = of_chat AND p.pinned_at = held.pinned_at AND p.message_id = of_message;',
    replace: 'NULL;',
    tests: [`${EDITS} > a deletion takes all of it`],
  },
  {
    name: 'a deletion takes the uploads',
    about: 'The uploads of a deleted message are marked to go.',
    file: definerOf('log_blank_message'),
    find: 'UPDATE uploads u SET dropped_at = clock_timestamp() WHERE u.message_id = of_message AND u.dropped_at IS NULL;',
    replace: 'NULL;',
    tests: [`${EDITS} > a deletion takes all of it`],
  },
  {
    name: 'a change went on',
    about: 'A message that changed again before it could be read is not told with the range.',
    file: 'services/log/messages.ts',
    find: '.filter(({ id, revision }) => revision === revisions.get(id))',
    replace: '',
    tests: ['services/log/group-changes > changes as a group commit, postgres > of messages that went on'],
  },
]
