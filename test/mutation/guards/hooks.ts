import type { Guard } from '../guard.js'

const POST = 'services/outbox/post'
const HOOK = 'services/outbox/hooks > a hook, postgres'

/** Where hooks may be, who may send in our name, and that nothing is passed over. */
export const HOOKS: Guard[] = [
  {
    name: 'hooks (addresses by name)',
    about: 'No name leads a hook inside.',
    file: 'services/outbox/addresses.ts',
    find: "else if (!addresses.every(({ address }) => isPublic(address))) done(new PrivateAddress(), '', 4)",
    replace: '',
    tests: [`${POST} > a name that leads to a private address leads nowhere`],
  },
  {
    name: 'hooks (addresses as they are)',
    about: 'Nor an address that needs no look-up.',
    file: 'services/outbox/post.ts',
    find: 'if (!allowPrivate) mustNotBePrivate(url)',
    replace: '',
    tests: [`${POST} > in production nothing private is connected to, whatever it is called`],
  },
  {
    name: 'hooks (https)',
    about: 'In production what is told is not told in the open.',
    file: 'services/outbox/post.ts',
    find: "if (!allowPrivate && url.protocol !== 'https:') throw new Error('its URL is not https')",
    replace: '',
    tests: [`${POST} > in production nothing private is connected to, whatever it is called`],
  },
  {
    name: 'hooks (answers without end)',
    about: 'An answer without end costs its connection.',
    file: 'services/outbox/post.ts',
    find: 'const timer = setTimeout(() => incoming.destroy(), ANSWER_MS).unref()',
    replace: 'const timer = setTimeout(() => {}, ANSWER_MS).unref()',
    tests: [`${POST} > what a receiver may answer`],
  },
  {
    name: 'hooks (answers that flood)',
    about: 'Nor is it read for as long as it has time.',
    file: 'services/outbox/post.ts',
    find: 'if (bytes > MAX_ANSWER_BYTES) incoming.destroy()',
    replace: '',
    tests: [`${POST} > what a receiver may answer`],
  },
  {
    name: 'hooks (secrets)',
    about: 'A secret is shown once.',
    file: 'services/outbox/hooks.ts',
    find: 'get: async (hookId: string): Promise<Hook> => toHook(await read(hookId)),',
    replace: 'get: async (hookId: string): Promise<Hook> => toHook(await read(hookId), (await read(hookId)).secret),',
    tests: [`${HOOK} > is made, shown and changed`],
  },
  {
    name: 'hooks (steps)',
    about: 'A step is made only from where the hook stood, so that what was set back is told again.',
    file: 'services/outbox/positions.ts',
    find: 'AND p.revision = m."oldRevision" AND p.seen = m."oldSeen"',
    replace: '',
    tests: [`${HOOK} > is set back while it is being told, and nothing is passed over`],
  },
]
