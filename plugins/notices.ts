import type { UnreadNotice } from '../contract/notices.js'
import { createNotices, type Notices, type NoticesOptions } from '../services/notices/index.js'
import type { Outbox } from '../services/outbox/index.js'
import type { Config } from './config/settings.js'

export interface NoticesPluginOptions extends Omit<NoticesOptions, 'afterMs' | 'maxMembers' | 'isShared'> {
  config: Config
  outbox: Outbox
}

/** Who is told of what they have not read, by the settings; hooks that want to hear of it are told, too. */
export function openNotices({ config, outbox, ...rooms }: NoticesPluginOptions): Notices {
  const { NOTIFY_AFTER_MS: afterMs, NOTIFY_MAX_MEMBERS: maxMembers, BUS } = config
  const notices = createNotices({ ...rooms, afterMs, maxMembers, isShared: BUS !== 'memory' })
  const deliver = (notice: UnreadNotice) => outbox.queue('member.unread', { ...notice })
  outbox.whenWanted('member.unread', () => notices.addSink({ name: 'hooks', deliver }))
  return notices
}
