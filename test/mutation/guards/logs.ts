import type { Guard } from '../guard.js'

/** What no log says: here it is said, and the search of the tests' logs finds it. */
export const LOGS: Guard[] = [
  {
    name: 'no token in a log',
    about: 'Tokens are not logged, not even bad ones.',
    file: 'plugins/socket/handshake.ts',
    find: "logger.debug({ code }, '❌ a handshake was refused')",
    replace: "logger.debug({ code, token: socket.handshake.auth.token }, '❌ a handshake was refused')",
    tests: ['socket/handshake > tokens that are refused'],
  },
  {
    name: 'no text in a log',
    about: 'What users write is not logged.',
    file: 'services/commands/messages.ts',
    find: '{ messageId: id, chatId, seq, userId },',
    replace: '{ messageId: id, chatId, seq, userId, content },',
    tests: ['services/log/hidden > nothing finds what was before the joining, postgres'],
  },
  {
    name: 'no connection in a log',
    about: 'An error of the pool holds statements and the key of its connection.',
    file: 'services/db/index.ts',
    find: '({ message }) => logger.warn({ reason: message },',
    replace: '(error) => logger.warn({ err: error },',
    tests: ['services/db/lost > a connection that is lost says nothing of its inside'],
  },
  {
    name: 'no baggage on the bus',
    about: 'Of a caller’s trace other nodes are told the span, and not what the caller put beside it.',
    file: 'services/tracing.ts',
    find: 'propagation.inject(trace.setSpanContext(ROOT_CONTEXT, span), carrier)',
    replace: 'propagation.inject(commit, carrier)',
    tests: ['services/tracing > what another node delivers is part of the trace of the command'],
  },
  {
    name: 'one line is one event',
    about: 'What users write forges no line.',
    file: 'plugins/socket/index.ts',
    find: "logger.debug({ userId, socketId: id }, '✅ connected')",
    replace: "logger.debug({ socketId: id }, '✅ ' + session.user.name)",
    tests: ['start/log > nor in development', 'start/log > what a stranger writes forges no line in production'],
  },
]
