import type { ChildProcess } from 'node:child_process'

interface Answer {
  id: number
  result?: unknown
  error?: string
}

/** Calls to a child over its channel, each with its own answer. */
export function createChannel(child: ChildProcess, name: string) {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let last = 0

  child.on('message', ({ id, result, error }: Answer) => {
    const caller = waiting.get(id)
    waiting.delete(id)
    if (error !== undefined) caller?.reject(new Error(`${name}: ${error}`))
    else caller?.resolve(result)
  })
  child.once('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`${name} ended with ${signal ?? code}`))
  })

  return (call: string, options: unknown = {}): Promise<unknown> =>
    new Promise((resolve, reject) => {
      last += 1
      waiting.set(last, { resolve, reject })
      child.send({ id: last, name: call, options }, (error) => error && reject(error))
    })
}
