import { execFileSync } from 'node:child_process'
import type { Owner } from '../../helpers/postgres.js'

/** Which packets are dropped: those to a port, those from it, or both. */
export type Direction = 'to' | 'from' | 'both'

/** The kernel's packet filter, for ports that only one node connects to. */
export interface PacketFilter {
  drop(ports: number[], direction: Direction): void
  heal(): void
}

/** A table of our own in nftables, which goes with its owner; undefined where we may not have one. */
export function openPacketFilter(owner: Owner): PacketFilter | undefined {
  const table = `inet chat_faults_${process.pid}_${Math.floor(Math.random() * 1e9)}`
  const nft = (script: string) =>
    void execFileSync('nft', ['-f', '-'], { input: script, stdio: ['pipe', 'ignore', 'ignore'] })
  try {
    nft(`add table ${table}\nadd chain ${table} out { type filter hook output priority 0; }`)
  } catch {
    return undefined
  }
  let isOpen = true
  function close(): void {
    if (isOpen) nft(`delete table ${table}`)
    isOpen = false
  }
  process.once('exit', close)
  owner.teardown(() => {
    process.off('exit', close)
    close()
  })
  return {
    drop(ports, direction) {
      const list = `{ ${ports.join(', ')} }`
      const rules = { to: [`tcp dport ${list} drop`], from: [`tcp sport ${list} drop`] }
      const wanted = direction === 'both' ? [...rules.to, ...rules.from] : rules[direction]
      nft(wanted.map((rule) => `add rule ${table} out ${rule}`).join('\n'))
    },
    heal() {
      nft(`flush chain ${table} out`)
    },
  }
}
