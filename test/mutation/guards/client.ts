import type { Guard } from '../guard.js'

/** What the client takes for true of what it is told. */
export const CLIENT: Guard[] = [
  {
    name: 'holes (client)',
    about: 'A client takes in nothing above a hole before that is filled.',
    file: 'client/src/log.ts',
    find: 'if (revision === known + 1) advance(chatId, [change], revision, true)\n',
    replace: 'if (revision > known) advance(chatId, [change], revision, true)\n',
    tests: [
      'client/log > of a hole the server is asked',
      'client/healing > a client whose connection is bad, embedded',
    ],
  },
  {
    name: 'older answers (client)',
    about: 'An answer from before what is shown is not shown.',
    file: 'client/src/log.ts',
    find: 'if (known && (isReset || known.revision <= chat.revision)) chats.put(overlay(chat))\n',
    replace: 'if (known) chats.put(overlay(chat))\n',
    tests: ['client/log > what a change does not say is asked for'],
  },
  {
    name: 'back before the answer (client)',
    about: 'Who is in a chat again before the answer that they are out comes stays in it.',
    file: 'client/src/log.ts',
    find: ' && chats.byId.get(chatId)?.revision === before',
    replace: '',
    tests: ['client/log > who is in again'],
  },
  {
    name: 'expired unheard (client)',
    about: 'Of messages that expired before a client heard of them it asks what they did to marks.',
    file: 'client/src/reduce-chat.ts',
    find: 'open: isUnheard ? ALL : ',
    replace: 'open: ',
    tests: [
      'client/log > of messages that expired unheard',
      'client/healing > a client whose connection is bad, embedded',
    ],
  },
  {
    name: 'flags after messages (client)',
    about: 'A message takes off flags that may have been set after it: the server is asked.',
    file: 'client/src/reduce-chat.ts',
    find: 'settings === draft.settings ? NOTHING : ALL',
    replace: 'NOTHING',
    tests: ['client/log > a message takes off flags', 'client/healing > a client whose connection is bad, embedded'],
  },
  {
    name: 'flags after marks (client)',
    about: 'So may those that a mark takes off which is told late.',
    file: 'client/src/events.ts',
    find: 'if (chat.settings.isMarkedUnread) log.doubt(chatId)\n',
    replace: '',
    tests: ['client/healing > a client whose connection is bad, embedded'],
  },
  {
    name: 'rooms ahead (client)',
    about: 'What is unread is not counted in messages of a room that is further on than its chat.',
    file: 'client/src/log.ts',
    find: 'if (!isWhole && chat.unreadCount > 0)',
    replace: 'if (!messages && chat.unreadCount > 0)',
    tests: ['client/log > how much is unread is asked for where'],
  },
]
