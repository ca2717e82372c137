import { createOutbox, type Outbox, type OutboxOptions } from '../services/outbox/index.js'
import { listOf } from './config/lists.js'
import type { Config } from './config/settings.js'

export interface OutboxPluginOptions extends Omit<OutboxOptions, 'allowPrivate' | 'own' | 'metrics'> {
  config: Config
  metrics: NonNullable<OutboxOptions['metrics']>
}

/** What tells the hooks, by the settings; /metrics says how far they are behind. */
export function openOutbox({ config, metrics, ...rooms }: OutboxPluginOptions): Outbox {
  const { WEBHOOK_URL: url, WEBHOOK_SECRET, WEBHOOK_PRIVATE, isProduction } = config
  const own = url ? { url, secrets: listOf(WEBHOOK_SECRET) } : undefined
  const outbox = createOutbox({ ...rooms, metrics, own, allowPrivate: !isProduction || WEBHOOK_PRIVATE })

  const each = (read: (status: ReturnType<Outbox['statuses']>[number]) => number) => () =>
    new Map(outbox.statuses().map((status) => [status.id, read(status)]))
  metrics.gaugeOfEach(
    'chat_hook_lag',
    'Revisions that a hook has not taken, on the node that tells the hooks.',
    'hook',
    each(({ lag }) => lag),
  )
  metrics.gaugeOfEach(
    'chat_hook_oldest_seconds',
    'How long ago the oldest of them was written.',
    'hook',
    each(({ oldestMs }) => (oldestMs === null ? 0 : Math.max(0, Date.now() - oldestMs) / 1_000)),
  )
  metrics.gaugeOfEach(
    'chat_hook_failures',
    'Requests to a hook that failed since the last that it took.',
    'hook',
    each(({ failures }) => failures),
  )
  return outbox
}
