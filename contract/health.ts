import { Type } from '@sinclair/typebox'
import { OneOf } from './fields.js'

const HEALTHS = ['ok', 'degraded', 'down'] as const

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
export const ReadyAnswer = Type.Object({ ready: Type.Boolean() })
export const LiveAnswer = Type.Object({ live: Type.Boolean() })
