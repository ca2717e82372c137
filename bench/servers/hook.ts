// Loaded into a measured Node server with --import: collects garbage, tells how late the loop was, and profiles, when asked.
import { writeFileSync } from 'node:fs'
import { type HeapProfiler, type Profiler, Session } from 'node:inspector'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void
const delay = monitorEventLoopDelay({ resolution: 10 })
const inspector = new Session()
let profiling: Promise<void> | undefined

/** What was allocated at a place of the program and in all that it calls. */
const bytesOf = ({ selfSize, children }: HeapProfiler.SamplingHeapProfileNode): number =>
  children.reduce((sum, child) => sum + bytesOf(child), selfSize)

const toMs = (ns: number) => Math.max(0, ns / 1e6 - 10)

const calls: Record<string, (options: { path: string }) => unknown> = {
  gc() {
    for (let i = 0; i < 4; i++) gc()
    return process.memoryUsage()
  },
  resetLag() {
    delay.reset()
    delay.enable()
  },
  /** How much later than asked the loop came to a timer of 10 ms. */
  lag: () => ({ p50: toMs(delay.percentile(50)), p99: toMs(delay.percentile(99)), max: toMs(delay.max) }),
  /** Notes what is allocated and not gone with a minor collection. */
  startHeap() {
    inspector.connect()
    inspector.post('HeapProfiler.startSampling', { samplingInterval: 4_096, includeObjectsCollectedByMajorGC: true })
  },
  stopHeap: () =>
    new Promise<number>((resolve, reject) => {
      inspector.post('HeapProfiler.stopSampling', (error, { profile }) => {
        inspector.disconnect()
        if (error) return reject(error)
        resolve(bytesOf(profile.head))
      })
    }),
  startProfile() {
    inspector.connect()
    inspector.post('Profiler.enable')
    inspector.post('Profiler.setSamplingInterval', { interval: 200 })
    inspector.post('Profiler.start')
  },
  stopProfile({ path }) {
    profiling = new Promise((resolve, reject) => {
      inspector.post('Profiler.stop', (error: Error | null, { profile }: { profile: Profiler.Profile }) => {
        inspector.disconnect()
        if (error) return reject(error)
        writeFileSync(path, JSON.stringify(profile))
        resolve()
      })
    })
    return profiling
  },
}

process.on('message', async ({ id, name, options }: { id: number; name: string; options: { path: string } }) => {
  process.send?.({ id, result: await calls[name]?.(options) })
})
process.once('disconnect', () => process.exit())
process.channel?.unref()
