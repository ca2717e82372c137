import type { Guard } from '../guard.js'

const TURNS = 'services/db/turns > turns'

/** What keeps one from being in everybody’s way: addresses, junk, and the database’s turns. */
export const LOAD: Guard[] = [
  {
    name: 'sockets of an address',
    about: 'An address has so many at once.',
    file: 'plugins/socket/admission.ts',
    find: 'const isFull = maxSockets > 0 && sockets.count(address) >= maxSockets',
    replace: 'const isFull = false',
    tests: ['socket/admission > sockets of one address, over websocket'],
  },
  {
    name: 'handshakes of an address',
    about: 'And comes only so often.',
    file: 'plugins/socket/admission.ts',
    find: 'if (!isFull && mayConnect(address)) return null',
    replace: 'if (!isFull) return null',
    tests: ['socket/admission > handshakes of one address'],
  },
  {
    name: 'TRUST_PROXY',
    about: 'X-Forwarded-For is believed of whom the setting names.',
    file: 'plugins/addresses.ts',
    find: 'const said = trust ? proxyAddr(request, trust) : peer',
    replace: 'const said = proxyAddr(request, trust || (() => true))',
    tests: ['plugins/addresses > whose X-Forwarded-For is believed'],
  },
  {
    name: 'junk',
    about: 'Who goes on with what reaches no command is ended.',
    file: 'plugins/socket/junk.ts',
    find: 'if (before <= MAX_POINTS && entry.points > MAX_POINTS) onTooMuch(connection)',
    replace: '',
    tests: [
      'socket/junk > what reaches no command is cheap, and ends whoever goes on with it, embedded > pongs that nobody asked for',
    ],
  },
  {
    name: 'arguments of an event',
    about: 'More than the stack holds do not end the process.',
    file: 'plugins/socket/decoder.ts',
    find: "this.on('decoded', requireFewParts)",
    replace: '',
    tests: ['socket/junk > no number of arguments ends the process'],
  },
  {
    name: 'one message a turn',
    about: 'Who sends many waits for everybody else.',
    file: 'plugins/io.ts',
    find: 'allowSynchronousEvents: false',
    replace: 'allowSynchronousEvents: true',
    tests: ['socket/junk > one message of a connection is taken in a turn of the loop'],
  },
  {
    name: 'turns (a share for reads)',
    about: 'Reads never take all connections.',
    file: 'services/db/turns.ts',
    find: 'return running < atOnce && (by === undefined || patientRunning < patientAtOnce)',
    replace: 'return running < atOnce',
    tests: [`${TURNS} > patient work has a share`],
  },
  {
    name: 'turns (patience)',
    about: 'What cannot begin in time is OVERLOADED.',
    file: 'services/db/turns.ts',
    find: 'patient.refuseOlder(now - patientWaitMs)\n',
    replace: '',
    tests: [`${TURNS} > what cannot begin in time`],
  },
  {
    name: 'turns (who is gone)',
    about: 'What somebody asked for who is gone is dropped.',
    file: 'services/db/rounds.ts',
    find: "if (ticket.by?.state?.is === 'gone') {",
    replace: 'if (false) {',
    tests: [`${TURNS} > what somebody asked for who is gone`],
  },
  {
    name: 'room on the disk',
    about: 'Writes stop before there is none.',
    file: 'services/db/embedded/room.ts',
    find: 'const next = free < minFreeBytes + (isFull ? MARGIN_BYTES : 0)',
    replace: 'const next = false',
    tests: ['services/db/full > a disk that fills up'],
  },
  {
    name: 'room at the start',
    about: 'A start with too little is refused.',
    file: 'services/db/embedded/room.ts',
    find: 'if (free >= needed) return\n',
    replace: 'return\n',
    tests: ['start/process > a disk without room', 'services/db/full'],
  },
]
