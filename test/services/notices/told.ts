import type { Test } from 'tap'
import { UnreadNotice } from '../../../contract/notices.js'
import { compile } from '../../../services/validator.js'
import { build, type DatabaseOptions, type Service } from '../../helper.js'

export const AFTER_MS = 300
const fits = compile(UnreadNotice)

/** A service that tells its host, and what it told. */
export async function open(t: Test, database: DatabaseOptions, options: Parameters<typeof build>[1] = {}) {
  const told: UnreadNotice[] = []
  const onUnread = (notice: UnreadNotice) => {
    if (!fits(notice)) t.fail('a notice does not fit its schema', { notice, errors: fits.errors })
    told.push(notice)
  }
  const service = await build(t, { ...database, notifyAfterMs: AFTER_MS, onUnread, ...options })
  return { service, told }
}

/** A group of a service, how its members write and read there, and who was told of it. */
export async function openChat(
  service: Service,
  told: UnreadNotice[],
  chatId: string,
  memberIds = ['alice', 'bob', 'carol', 'dave'],
) {
  await service.call('POST', '/chats', { as: 'service', body: { type: 'group', chatId, memberIds } })
  return {
    async send(as: string, content: string, more: object = {}) {
      const { body } = await service.call('POST', `/chats/${chatId}/messages`, { as, body: { content, ...more } })
      return body.message
    },
    read: (as: string, upToSeq: number) => service.call('POST', `/chats/${chatId}/read`, { as, body: { upToSeq } }),
    told: () => told.filter((one) => one.chatId === chatId),
    toldTo: (userId: string) => told.filter((one) => one.chatId === chatId && one.userId === userId),
  }
}
