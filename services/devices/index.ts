import { uuidv7 } from 'uuidv7'
import type { Input } from '../../contract/commands.js'
import { invalid } from '../../contract/errors.js'
import { MAX_DEVICES } from '../../contract/limits.js'
import type { DeviceKind } from '../../contract/words.js'
import type { Database } from '../db/index.js'

/** Where a push goes. */
export interface Device {
  deviceId: string
  userId: string
  kind: DeviceKind
  /** The token of FCM or APNs, or the endpoint of Web Push. */
  token: string
  /** Of Web Push: what a message is encrypted with. */
  keys: { p256dh: string; auth: string } | null
}

export type Devices = ReturnType<typeof createDevices>

/** The devices of users; in production those of Web Push are https only. */
export function createDevices(db: Pick<Database, 'run'>, { isProduction }: { isProduction: boolean }) {
  return {
    /** Keeps a device for a user; again, it keeps its id. */
    async register(userId: string, { kind, token, subscription }: Input<'register_device'>): Promise<string> {
      const where = subscription?.endpoint ?? token ?? ''
      if (isProduction && subscription && !where.startsWith('https:')) {
        throw invalid({ path: '/subscription/endpoint', message: 'must be an https URL' })
      }
      const values = [uuidv7(), userId, kind, where, subscription?.keys ?? null, MAX_DEVICES - 1]
      const [row] = await db.run<{ deviceId: string }>('register_device', REGISTER, values)
      if (!row) throw new Error('a device that is kept has an id')
      return row.deviceId
    },

    /** Forgets a device of a user; one that is not there, or not theirs, is no matter. */
    async unregister(userId: string, deviceId: string): Promise<void> {
      await db.run('unregister_device', 'DELETE FROM devices WHERE device_id = $1 AND user_id = $2', [deviceId, userId])
    },

    /** The devices of a user. */
    find: (userId: string): Promise<Device[]> => db.run<Device & Record<string, unknown>>('devices', FIND, [userId]),

    /** Forgets a device that is gone, unless it was registered anew meanwhile as another. */
    async forget({ deviceId, token }: Device): Promise<void> {
      await db.run('forget_device', 'DELETE FROM devices WHERE device_id = $1 AND token = $2', [deviceId, token])
    },
  }
}

const REGISTER = `
WITH crowded AS (
  DELETE FROM devices d USING (
    SELECT x.device_id FROM devices x WHERE x.user_id = $2 AND NOT (x.kind = $3 AND x.token = $4)
    ORDER BY x.seen_at DESC, x.device_id DESC OFFSET $6) o
  WHERE d.device_id = o.device_id
)
INSERT INTO devices AS d (device_id, user_id, kind, token, keys, created_at, seen_at)
VALUES ($1, $2, $3, $4, $5::jsonb, clock_timestamp(), clock_timestamp())
ON CONFLICT (kind, token) DO UPDATE SET user_id = excluded.user_id, keys = excluded.keys, seen_at = excluded.seen_at,
  device_id = CASE WHEN d.user_id = excluded.user_id THEN d.device_id ELSE excluded.device_id END,
  created_at = CASE WHEN d.user_id = excluded.user_id THEN d.created_at ELSE excluded.created_at END
RETURNING device_id AS "deviceId"`

const FIND = `
SELECT device_id AS "deviceId", user_id AS "userId", kind, token, keys FROM devices WHERE user_id = $1 ORDER BY seen_at, device_id`
