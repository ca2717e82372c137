import { readFileSync } from 'node:fs'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fp from 'fastify-plugin'
import { Refusal } from '../../services/refusals/refusal.js'
import { createApns } from './apns.js'
import { createFcm, type ServiceAccount } from './fcm.js'
import { createPushSink, type PushOptions } from './sink.js'
import { createWebPush } from './web.js'

/** The senders that the settings set up. */
function openSenders({ config }: FastifyInstance): PushOptions['senders'] {
  const { VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY, VAPID_SUBJECT, FCM_ACCOUNT_FILE, isProduction } = config
  const { APNS_KEY_FILE, APNS_KEY_ID = '', APNS_TEAM_ID = '', APNS_TOPIC = '', APNS_URL } = config
  const senders: PushOptions['senders'] = {}
  if (VAPID_PUBLIC_KEY && VAPID_PRIVATE_KEY && VAPID_SUBJECT) {
    const vapid = { subject: VAPID_SUBJECT, publicKey: VAPID_PUBLIC_KEY, privateKey: VAPID_PRIVATE_KEY }
    senders.web = createWebPush({ vapid, isGuarded: isProduction })
  }
  if (FCM_ACCOUNT_FILE) senders.fcm = createFcm(readAccount(FCM_ACCOUNT_FILE))
  if (APNS_KEY_FILE) {
    const key = readSetting('APNS_KEY_FILE', APNS_KEY_FILE)
    senders.apns = createApns({ key, keyId: APNS_KEY_ID, teamId: APNS_TEAM_ID, topic: APNS_TOPIC, url: APNS_URL })
  }
  return senders
}

function readSetting(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new Refusal(`${setting} names a file that cannot be read.`)
  }
}

function readAccount(path: string): ServiceAccount {
  const text = readSetting('FCM_ACCOUNT_FILE', path)
  try {
    const account = JSON.parse(text) as Partial<ServiceAccount>
    const { project_id, client_email, private_key, token_uri } = account
    if (project_id && client_email && private_key && token_uri && URL.canParse(token_uri)) {
      return { project_id, client_email, private_key, token_uri }
    }
  } catch {
    // Said below: what it holds is a secret.
  }
  throw new Refusal('FCM_ACCOUNT_FILE must be the JSON file of a service account of Google.')
}

/** Tells devices of unread notices by Web Push, FCM and APNs, as far as the settings set them up. */
const push: FastifyPluginAsync = async (app) => {
  const senders = openSenders(app)
  const kinds = Object.keys(senders)
  if (kinds.length === 0) return
  const { devices, metrics, notices } = app.chat
  const hasContent = app.config.PUSH_CONTENT === 'on'
  notices.addSink(createPushSink({ senders, devices, hasContent, logger: app.log, metrics }))
  app.addHook('onClose', async () => {
    for (const sender of Object.values(senders)) sender.stop()
  })
  app.log.info({ kinds }, '✅ unread notices are pushed to devices')
}

export default fp(push, { name: 'chat-push', fastify: '5.x', dependencies: ['chat-config', 'chat-services'] })
