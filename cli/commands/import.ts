import { command, wrongUse } from '../command.js'

export default command({
  summary: 'takes over users, chats, members and messages of a service made with Prisma',
  about:
    'Copies from a PostgreSQL into the database that DATABASE_URL and DATABASE_SCHEMA (or DATA_DIR, for the embedded one) name. The old service may run meanwhile, and nothing in it changes. What is here already is left as it is: run it again for what came since. docs/migrating.md has the whole way.',
  options: {
    from: { type: 'string', value: 'url', summary: 'the old database, as postgres://user@host/old' },
    schema: { type: 'string', value: 'name', default: 'public', summary: 'its schema' },
  },
  examples: [
    'import --from postgres://user@host/old',
    'DATABASE_SCHEMA=chat {} import --from postgres://user@host/old',
  ],
  async run({ values: { from, schema } }) {
    if (from === undefined) throw wrongUse('import needs the old database: --from postgres://user@host/old.')
    const { copy } = await import('../import/copy.js')
    await copy(from, schema)
  },
})
