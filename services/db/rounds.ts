/** For whom something is read; one whose session is `gone` no longer wants it. */
export interface Asker {
  readonly userId: string
  readonly state?: { readonly is: string }
}

/** A piece of work that waits. */
export interface Ticket {
  by: Asker | undefined
  askedAt: number
  start(): void
  refuse(): void
}

/** Lines of patient work, one a user; each user in turn has one taken. */
export function createRounds() {
  const lines = new Map<string, Ticket[]>()
  let size = 0

  return {
    size: () => size,

    add(userId: string, ticket: Ticket): void {
      size += 1
      const line = lines.get(userId)
      if (line) line.push(ticket)
      else lines.set(userId, [ticket])
    },

    /** The next one; those of askers who are gone are dropped on the way. */
    take(): Ticket | undefined {
      for (const [userId, line] of lines) {
        lines.delete(userId)
        for (let ticket = line.shift(); ticket; ticket = line.shift()) {
          size -= 1
          if (ticket.by?.state?.is === 'gone') {
            ticket.refuse()
            continue
          }
          if (line.length > 0) lines.set(userId, line)
          return ticket
        }
      }
      return undefined
    },

    /** Refuses those that were asked before a time. */
    refuseOlder(before: number): void {
      for (const [userId, line] of lines) {
        while (line[0] && line[0].askedAt < before) {
          size -= 1
          line.shift()?.refuse()
        }
        if (line.length === 0) lines.delete(userId)
      }
    },
  }
}
