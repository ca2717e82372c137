/** What things cost one node, and PostgreSQL: µs of CPU, and KB. */
export interface Costs {
  connectionKb: number
  connectUs: number
  /** A second of a connection at rest. */
  restUs: number
  sendUs: number
  sendSqlUs: number
  /** One message to one socket, alone and in a burst of 16. */
  deliveryUs: number
  joinedUs: number
  markUs: number
  markSqlUs: number
  /** A change, its pushes included. */
  presenceUs: number
  presencePushes: number
}
