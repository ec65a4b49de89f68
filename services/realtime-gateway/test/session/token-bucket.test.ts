import t from 'tap'
import { TokenBucket } from '../../src/session/token-bucket.ts'

t.test('it allows a burst of twice its rate, then its rate', async t => {
  const bucket = new TokenBucket(10)
  const now = Date.now()
  const taken = (at: number) => Array.from({ length: 100 }, () => bucket.take(at)).filter(Boolean).length
  t.equal(taken(now), 20)
  t.equal(taken(now + 500), 5)
  t.equal(taken(now + 60_000), 20, 'it never holds more than that')
  t.equal(taken(now), 0, 'a clock that goes back adds nothing')
})
