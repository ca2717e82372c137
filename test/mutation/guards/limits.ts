import type { Guard } from '../guard.js'

const LIMITED = 'socket/limits > what users do is limited, embedded'

/** How much somebody may do. */
export const LIMITS: Guard[] = [
  {
    name: 'rate of commands',
    about: 'A user sends, reads and changes only so often.',
    file: 'services/limits/index.ts',
    find: '    if (waitMs === 0) return\n',
    replace: '    return\n',
    tests: [`${LIMITED} > devices and doors share one budget`],
  },
  {
    name: 'rate of what does not fit',
    about: 'What fits no schema is paid for, too.',
    file: 'services/binder/index.ts',
    find: 'limits.charge(caller, rate ?? OF_JUNK)\n',
    replace: '',
    tests: [`${LIMITED} > what fits no schema is paid for, too`],
  },
  {
    name: 'rate of look-ups',
    about: 'Ids that are looked up are counted, whatever asks for them.',
    file: 'services/limits/budgets.ts',
    find: "const ids = lookups > 0 ? buckets.get('lookups') : undefined",
    replace: 'const ids = undefined as Buckets | undefined',
    tests: [
      `${LIMITED} > ids that are looked up are counted`,
      'services/limits/limits > a call whose ids cannot be paid for',
    ],
  },
  {
    name: 'rate of handshakes',
    about: 'A user connects only so often.',
    file: 'services/session/arrive.ts',
    find: 'mayConnect(userId)\n',
    replace: '',
    tests: [`${LIMITED} > a user connects only so often`],
  },
  {
    name: 'rate of an address',
    about: 'An address asks for what needs no user only so often.',
    file: 'plugins/limits.ts',
    find: 'current: ttl > 0 ? burst + 1 :',
    replace: 'current: ttl > 0 ? 0 :',
    tests: ['routes/limits > what needs no user: an address only so often'],
  },
  {
    name: 'ABUSE',
    about: 'Who goes on when they are refused is closed.',
    file: 'services/limits/abuse.ts',
    find: 'if (times.length < ABUSE.refusals) return\n',
    replace: 'if (times) return\n',
    tests: ['services/limits/limits > the hundredth refusal within ten seconds is abuse'],
  },
  {
    name: 'ABUSE (outside)',
    about: 'And stays outside for a while.',
    file: 'services/limits/abuse.ts',
    find: 'if (untilMs <= now()) outsideUntil.set(userId, now() + ABUSE.outsideMs - ageMs)',
    replace: '',
    tests: ['services/limits/limits > the hundredth refusal within ten seconds is abuse'],
  },
  {
    name: 'giving way',
    about: 'While the loop is late, typing gives way first and sends last.',
    file: 'services/limits/index.ts',
    find: "if (load.givesWay(rate)) throw refusal('OVERLOADED', { retryAfterMs: GIVEN_WAY_MS })\n",
    replace: '',
    tests: ['socket/limits > under load typing gives way first'],
  },
  {
    name: 'seats (sockets)',
    about: 'Many sockets of a user have no more under way than few.',
    file: 'plugins/socket/lanes.ts',
    find: ' || !seats.take(userId)) return hold',
    replace: ') return hold',
    tests: ['socket/limits > all that a user has under way is bounded'],
  },
  {
    name: 'seats (REST)',
    about: 'Nor has who calls over REST.',
    file: 'services/binder/index.ts',
    find: 'if (needsSeat(caller)) return await sit(',
    replace: 'if (false) return await sit(',
    tests: ['socket/limits > all that a user has under way is bounded'],
  },
]
