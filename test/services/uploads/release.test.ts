import t from 'tap'
import { release } from '../../../services/uploads/release.js'

t.test('bytes that were written are freed, and none that others have', async (t) => {
  const own = Buffer.alloc(65_536, 'x')
  release(own)
  t.equal(own.length, 0)
  const shared = Buffer.alloc(65_536, 'x')
  const part = shared.subarray(10, 20)
  release(part)
  t.equal(part.toString(), 'x'.repeat(10))
  t.equal(shared.length, 65_536)
})
