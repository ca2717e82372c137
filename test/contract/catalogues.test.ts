import t from 'tap'
import { CLOSINGS, Closing, type ClosingCode, toClosing } from '../../contract/closings.js'
import { ChatError, failureOf } from '../../contract/errors.js'
import { keysOf } from '../../contract/words.js'
import { compile } from '../../services/validator.js'

t.test('a closing says whether to come back', async (t) => {
  const isClosing = compile(Closing)
  const final: ClosingCode[] = ['TOKEN_EXPIRED', 'TOKEN_REVOKED', 'USER_DELETED', 'DISCONNECTED', 'LOGGED_OUT', 'ABUSE']
  for (const code of keysOf(CLOSINGS)) {
    const closing = toClosing(code)
    t.ok(isClosing(closing), `${code} fits its schema`)
    t.match(closing, { code, message: /^[A-Z].*\.$/, reconnectInMs: null })
    t.equal(closing.retryable, !final.includes(code), code)
  }
  t.same(toClosing('DRAINING', 500), { code: 'DRAINING', ...CLOSINGS.DRAINING, reconnectInMs: 500 })
})

t.test('any failure is of the catalogue', async (t) => {
  const refusal = new ChatError('NOT_FOUND')
  t.equal(failureOf(refusal), refusal, 'a ChatError is itself')
  const wrapped = new Error('wrapped', { cause: new Error('twice', { cause: refusal }) })
  t.equal(failureOf(wrapped), refusal, 'the ChatError that caused it')

  const circle = new Error('a circle')
  circle.cause = circle
  for (const mistake of [new TypeError('x is no function'), circle, 'a text', undefined, null, { code: 'NOT_FOUND' }]) {
    const error = failureOf(mistake)
    t.same(error.toBody(), { code: 'INTERNAL', message: 'Something broke on our side.', retryable: false })
    t.equal(error.cause, mistake, 'what it was is kept for the log')
  }
})
