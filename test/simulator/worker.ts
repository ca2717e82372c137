import { installClock } from './clock.js'
import { runSeed } from './seeds.js'

// A process that runs seeds, a line of JSON for each: from, stride, how many, and steps of each.
installClock()
const [from = 1, stride = 1, runs = 1, steps = 1] = process.argv.slice(2).map(Number)
for (let i = 0; i < runs; i += 1) {
  const line = `${JSON.stringify(await runSeed(from + i * stride, steps))}\n`
  if (!process.stdout.write(line)) await new Promise((resolve) => process.stdout.once('drain', resolve))
}
