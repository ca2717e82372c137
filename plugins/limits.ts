import type { FastifyInstance, onRequestAsyncHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { ChatError } from '../contract/errors.js'
import type { Budget } from '../contract/limits.js'
import { type Budgets, createBudgets } from '../services/limits/budgets.js'
import { createSeats, type Seats } from '../services/limits/seats.js'
import type { Config } from './config/settings.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** What users and addresses may still do: `budgets.take(name, key)` answers 0, or the milliseconds to wait. */
    budgets: Budgets
    /** How many commands each user has under way, over both doors. */
    seats: Seats
    /** A hook: an address asks for what needs no user only so often. */
    limitAddress: onRequestAsyncHookHandler
  }
}

/** What the settings say of each budget; null where nothing is limited. */
function readBudgets(config: Config) {
  if (config.RATE_LIMIT === 'off') return null
  return {
    sends: toBudget(config.RATE_SENDS),
    changes: toBudget(config.RATE_CHANGES),
    reads: toBudget(config.RATE_READS),
    typing: toBudget(config.RATE_TYPING),
    lookups: toBudget(config.RATE_LOOKUPS),
    connects: toBudget(config.RATE_CONNECTS),
    address_connects: toBudget(config.RATE_ADDRESS_CONNECTS),
    address_reads: toBudget(config.RATE_ADDRESS_READS),
  }
}

function toBudget(text: string): Budget {
  const [rate = 1, burst = 1] = text.split('/').map(Number)
  return { rate, burst }
}

async function limits(app: FastifyInstance): Promise<void> {
  const budgets = createBudgets(readBudgets(app.config))
  app.decorate('budgets', budgets)
  app.decorate('seats', createSeats())
  app.decorate('limitAddress', async ({ ip }) => {
    const retryAfterMs = budgets.take('address_reads', ip)
    if (retryAfterMs > 0) throw new ChatError('RATE_LIMITED', { retryAfterMs })
  })
  app.addHook('onClose', async () => budgets.stop())
}

export default fp(limits, { name: 'chat-limits', fastify: '5.x', dependencies: ['chat-config'] })
