import t from 'tap'
import { createLargeFrames } from '../../plugins/socket/large-frames.js'

const MB = 1_048_576
const socket = {}

t.test('one large frame is waited for, and nothing beside it', async (t) => {
  const frames = createLargeFrames()
  t.equal(frames.beside(socket, 3_000), 3_000, 'without one all counts')
  frames.note(socket, 1_000, 2_000)
  t.equal(frames.beside(socket, 2_000), 2_000, 'what is small is no such frame')

  frames.note(socket, 2_000, 8 * MB + 2_000)
  t.equal(frames.beside(socket, 8 * MB + 2_000), 2_000, 'what waited before it counts')
  frames.note(socket, 8 * MB + 2_000, 16 * MB)
  t.equal(frames.beside(socket, 16 * MB), 8 * MB, 'a second one counts')
})

t.test('what was taken of it is no more waited for', async (t) => {
  const frames = createLargeFrames()
  frames.note(socket, 0, 8 * MB)
  t.equal(frames.beside(socket, 3 * MB), 0)
  t.equal(frames.beside(socket, 5 * MB), 2 * MB, 'more than was left has come since')
  t.equal(frames.beside(socket, 4 * MB), MB)
})

t.test('the next one is waited for when the last is gone', async (t) => {
  const frames = createLargeFrames()
  frames.note(socket, 0, 8 * MB)
  t.equal(frames.beside(socket, 100), 0)
  t.equal(frames.beside(socket, 200), 200)
  frames.note(socket, 200, 2 * MB)
  t.equal(frames.beside(socket, 2 * MB), 200)
  // Nobody looked between the two.
  frames.note(socket, 0, 4 * MB)
  t.equal(frames.beside(socket, 4 * MB), 0)
})
