import { Type } from '@sinclair/typebox'
import { Count, Text } from './kinds.js'

/** The settings of unread notices and of push. */
export const NoticeSettings = {
  NOTIFY_AFTER_MS: Count(
    10_000,
    'How long after a message who is away and has not read it is told by `member.unread`, hooks and push; 0: never',
    0,
    3_600_000,
  ),
  NOTIFY_MAX_MEMBERS: Count(200, 'Largest chat of which all are told; in larger ones, who is mentioned', 1, 100_000),
  PUSH_CONTENT: Type.Unsafe<'on' | 'off'>({
    type: 'string',
    enum: ['on', 'off'],
    default: 'off',
    description: 'Whether a push to a device says who wrote what; else only that there is something',
  }),
  VAPID_PUBLIC_KEY: Text('Key by which browsers’ push services know us: 65 bytes in base64url', {
    pattern: '^[A-Za-z0-9_-]{87}$',
    form: 'the public key that `npx web-push generate-vapid-keys` prints',
  }),
  VAPID_PRIVATE_KEY: Text('Its private key: 32 bytes in base64url', {
    pattern: '^[A-Za-z0-9_-]{43}$',
    form: 'the private key that `npx web-push generate-vapid-keys` prints',
  }),
  VAPID_SUBJECT: Text('Who answers for these pushes: an address as mailto:chat@example.com, or an https URL', {
    pattern: '^(mailto:[^\\s@]+@[^\\s@]+|https://[^/\\s]\\S*)$',
    form: 'an address as mailto:chat@example.com, or an https URL',
  }),
  FCM_ACCOUNT_FILE: Text('JSON file of a service account of Google, to push by Firebase Cloud Messaging'),
  APNS_KEY_FILE: Text('Apple’s .p8 file, to push by APNs'),
  APNS_KEY_ID: Text('The id of that key'),
  APNS_TEAM_ID: Text('The team that it is of'),
  APNS_TOPIC: Text('The bundle id of the app'),
  APNS_URL: Type.String({
    default: 'https://api.push.apple.com',
    pattern: '^https?://[^/\\s]+$',
    form: 'https://api.push.apple.com or https://api.sandbox.push.apple.com',
    description: 'Where APNs is; apps in development: https://api.sandbox.push.apple.com',
  }),
}
