import type { Table } from './bench.js'
import type { Costs } from './costs.js'

/** How people are taken to behave; docs/capacity.md says more. */
const HABITS = {
  connectedShare: 0.1,
  sendsPerMinute: 1,
  deliveriesPerSend: 10,
  marksPerMinute: 2,
  presencePerHour: 4,
  reconnectsPerHour: 2,
}
/** A core is planned to be used so far; the rest is for bursts. */
const LOAD = 0.6
const BASE_MB = 150
const USERS = [1_000, 100_000, 10_000_000]

/** What a connected user costs a second, in µs of a node's core and of PostgreSQL's. */
function perUser(costs: Costs, deliveryUs: number) {
  const { sendsPerMinute, deliveriesPerSend, marksPerMinute, presencePerHour, reconnectsPerHour } = HABITS
  const sends = sendsPerMinute / 60
  const marks = marksPerMinute / 60
  return {
    rest: costs.restUs,
    sends: sends * costs.sendUs,
    deliveries: sends * deliveriesPerSend * deliveryUs,
    marks: marks * costs.markUs,
    presence: (presencePerHour / 3_600) * costs.presenceUs,
    connects: (reconnectsPerHour / 3_600) * costs.connectUs,
    sql: sends * costs.sendSqlUs + marks * costs.markSqlUs,
  }
}

/** Cores, nodes and memory for so many users, from the measured costs; nothing unless all of them were measured. */
export function capacity(partial: Partial<Costs>): Table[] {
  const costs = partial as Costs
  const parts = perUser(costs, costs.deliveryUs)
  const { sql, ...node } = parts
  const nodeUs = Object.values(node).reduce((sum, part) => sum + part, 0)
  if (Number.isNaN(nodeUs + sql + costs.connectionKb)) return []
  const cores = (users: number, us: number) => (users * HABITS.connectedShare * us) / 1e6 / LOAD
  return [
    {
      title: 'Capacity: what a connected user costs a second, µs',
      note: `${HABITS.sendsPerMinute} send a minute to ${HABITS.deliveriesPerSend} sockets (each delivery alone, the dearest way), ${HABITS.marksPerMinute} read marks a minute, ${HABITS.presencePerHour} presence changes and ${HABITS.reconnectsPerHour} connects an hour.`,
      head: [...Object.keys(node), 'Node in all', 'PostgreSQL'],
      rows: [[...Object.values(node), nodeUs, sql].map((us) => us.toFixed(2))],
    },
    {
      title: `Capacity: cores at ${LOAD * 100} % for users of whom ${HABITS.connectedShare * 100} % are connected`,
      note: 'A node is one process and uses one core; a machine of 8 cores runs some 7 of them.',
      head: ['users', 'connected', 'sends a second', 'Node cores', 'memory of the nodes GB', 'PostgreSQL cores'],
      rows: USERS.map((users) => {
        const connected = users * HABITS.connectedShare
        const nodes = cores(users, nodeUs)
        const gb = (connected * costs.connectionKb) / 1e6 + (Math.ceil(nodes) * BASE_MB) / 1_000
        const sends = (connected * HABITS.sendsPerMinute) / 60
        return [users, connected, sends.toFixed(0), nodes.toFixed(2), gb.toFixed(1), cores(users, sql).toFixed(2)]
      }),
    },
  ]
}
