import { command } from '../command.js'

export default command({
  summary: 'starts the server; the command when none is named',
  about:
    'Serves until a signal ends it. Without any setting it needs nothing installed: an embedded database in ./data, a page to try it at http://localhost:3002. Production is NODE_ENV=production, and refuses to start with a weak secret.',
  options: {},
  examples: ['start', 'PORT=4000 {}', 'NODE_ENV=production {} start'],
  async run() {
    // What follows the program is this command's, and the server takes none.
    process.argv.splice(2)
    await import('../../server.js')
  },
})
