import rateLimit from '@fastify/rate-limit'
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
    uploads: toBudget(config.RATE_UPLOADS),
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

/** Where @fastify/rate-limit counts: in the budget of addresses. Its own store reads a count that others have raised meanwhile. */
function storeOf(budgets: Budgets, { burst }: Budget) {
  return class Store {
    incr(address: string, answer: (error: null, state: { current: number; ttl: number }) => void): void {
      const ttl = budgets.take('address_reads', address)
      answer(null, { current: ttl > 0 ? burst + 1 : burst - budgets.left('address_reads', address), ttl })
    }

    child(): Store {
      return this
    }
  }
}

async function limits(app: FastifyInstance): Promise<void> {
  const perBudget = readBudgets(app.config)
  const budgets = createBudgets(perBudget)
  app.decorate('budgets', budgets)
  app.decorate('seats', createSeats())
  if (perBudget) {
    const { address_reads: budget } = perBudget
    await app.register(rateLimit, { global: false, max: budget.burst, store: storeOf(budgets, budget) })
    app.decorate(
      'limitAddress',
      app.rateLimit({
        errorResponseBuilder: (_request, { ttl }) => new ChatError('RATE_LIMITED', { retryAfterMs: ttl }),
      }),
    )
  } else {
    app.decorate('limitAddress', async () => {})
  }
  app.addHook('onClose', async () => budgets.stop())
}

export default fp(limits, { name: 'chat-limits', fastify: '5.x', dependencies: ['chat-config'] })
