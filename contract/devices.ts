import { Type } from '@sinclair/typebox'
import { Closed, Nullable } from './fields.js'

const base64url = (length: string) => `^[A-Za-z0-9_-]${length}=*$`

/** Where a browser's push service takes messages for a page: `PushSubscription.toJSON()`. */
export const WebSubscription = Closed({
  endpoint: Type.String({
    maxLength: 2_000,
    pattern: '^https?://[^\\s/?#@\\u0000\\p{Cs}]+(/[^\\s\\u0000\\p{Cs}]*)?$',
    description: 'must be a URL of a push service',
  }),
  expirationTime: Type.Optional(Nullable(Type.Number())),
  keys: Closed({
    p256dh: Type.String({ pattern: base64url('{87}'), description: 'must be the base64url of 65 bytes' }),
    auth: Type.String({ pattern: base64url('{22}'), description: 'must be the base64url of 16 bytes' }),
  }),
})

/** The token that FCM or APNs has given an app on a device. */
export const DeviceToken = Type.String({
  minLength: 8,
  maxLength: 1_024,
  pattern: '^[A-Za-z0-9:_.-]+$',
  description: 'must be a token of FCM or APNs',
})
