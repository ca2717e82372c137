import t from 'tap'
import { besideFrame, noteFrame } from '../../plugins/socket/large-frames.js'

const MB = 1_048_576

t.test('one large frame is waited for, and nothing beside it', async (t) => {
  const data: { largeBytes?: number } = {}
  t.equal(besideFrame(data, 3_000), 3_000, 'without one all counts')
  noteFrame(data, 1_000, 2_000)
  t.equal(besideFrame(data, 2_000), 2_000, 'what is small is no such frame')

  noteFrame(data, 2_000, 8 * MB + 2_000)
  t.equal(besideFrame(data, 8 * MB + 2_000), 2_000, 'what waited before it counts')
  noteFrame(data, 8 * MB + 2_000, 16 * MB)
  t.equal(besideFrame(data, 16 * MB), 8 * MB, 'a second one counts')
})

t.test('what was taken of it is no more waited for', async (t) => {
  const data: { largeBytes?: number } = {}
  noteFrame(data, 0, 8 * MB)
  t.equal(besideFrame(data, 3 * MB), 0)
  t.equal(besideFrame(data, 5 * MB), 2 * MB, 'more than was left has come since')
  t.equal(besideFrame(data, 4 * MB), MB)
})

t.test('the next one is waited for when the last is gone', async (t) => {
  const data: { largeBytes?: number } = {}
  noteFrame(data, 0, 8 * MB)
  t.equal(besideFrame(data, 100), 0)
  t.equal(besideFrame(data, 200), 200)
  noteFrame(data, 200, 2 * MB)
  t.equal(besideFrame(data, 2 * MB), 200)
  // Nobody looked between the two.
  noteFrame(data, 0, 4 * MB)
  t.equal(besideFrame(data, 4 * MB), 0)
})
