import { definerOf, type Guard } from '../guard.js'

const FUNCTION = definerOf('chat_send_message')
const RIGHTS = 'host/transactions > a host needs a right on the function'

/** What a host may do by the function that it calls in its own transactions, and that what it wrote is told. */
export const HOSTS: Guard[] = [
  {
    name: 'right of a host',
    about: 'Only who was given the function may call it.',
    file: FUNCTION,
    find: 'REVOKE ALL ON FUNCTION chat_send_message FROM PUBLIC;',
    replace: 'SELECT 1;',
    tests: [RIGHTS],
  },
  {
    name: 'tables of a host',
    about: 'A host’s temporary tables are not taken for ours by the function that has our rights.',
    file: FUNCTION,
    find: 'SET search_path = %I, pg_temp',
    replace: 'SET search_path = %I',
    tests: [RIGHTS],
  },
  {
    name: 'content of a host',
    about: 'A host’s message is no longer than the settings allow.',
    file: FUNCTION,
    find: 'ELSIF char_length(content) > max_chars THEN',
    replace: 'ELSIF false THEN',
    tests: ['host/transactions > what a send is refused for'],
  },
  {
    name: 'metadata of a host',
    about: 'A host’s metadata is what the contract lets it be.',
    file: FUNCTION,
    find: '    IF fault IS NOT NULL THEN\n      RETURN',
    replace: '    IF false THEN\n      RETURN',
    tests: ['host/transactions > what fits is what fits the contract'],
  },
  {
    name: 'a second look for a host',
    about: 'What a host wrote while nobody could be notified is looked for afterwards.',
    file: 'services/bus/hosts.ts',
    find: 'what was before may have been missed.\n    gap()',
    replace: 'what was before may have been missed.',
    tests: ['host/transactions > every node tells it, also after its connection was lost, with BUS=memory'],
  },
]
