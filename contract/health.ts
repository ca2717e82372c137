import { type Static, Type } from '@sinclair/typebox'
import { OneOf } from './fields.js'

const HEALTHS = ['ok', 'degraded', 'down'] as const

/** What /health answers. */
export const HealthAnswer = Type.Object(
  {
    status: OneOf(HEALTHS),
    uptime: Type.Number({ description: 'seconds' }),
    version: Type.String(),
    connections: Type.Integer(),
    onlineUsers: Type.Integer(),
    checks: Type.Object({
      database: Type.Object({
        ok: Type.Boolean(),
        durability: Type.String(),
        isFull: Type.Boolean({
          description: 'the disk is full: what is stored can be read, and nothing more is stored',
        }),
      }),
      bus: Type.Object({
        kind: Type.String({ description: 'which version of the bus is in use' }),
        ok: Type.Boolean(),
      }),
      search: Type.Object({
        ok: Type.Boolean({ description: 'its index is there, or search is off' }),
        isBuilding: Type.Boolean({ description: 'this node is making the index' }),
      }),
    }),
  },
  { title: 'Health' },
)
export type HealthAnswer = Static<typeof HealthAnswer>

/** What /ready answers. */
export const ReadyAnswer = Type.Object({ ready: Type.Boolean() })
export type ReadyAnswer = Static<typeof ReadyAnswer>

/** What /live answers. */
export const LiveAnswer = Type.Object({ live: Type.Boolean() })
export type LiveAnswer = Static<typeof LiveAnswer>
