import t from 'tap'
import { rateThrottle, windowThrottle } from '../../../src/load/worker/throttle.ts'

t.test('a window admits its size, and one more event for each that has arrived', async t => {
  const throttle = windowThrottle(2)
  let admitted = 0
  const acquire = async () => {
    await throttle.acquire()
    admitted++
  }
  const tries = Array.from({ length: 5 }, acquire)
  await Promise.all(tries.slice(0, 2))
  t.equal(admitted, 2)
  throttle.arrived(1)
  await tries[2]
  t.equal(admitted, 3)
  throttle.arrived(1)
  t.equal(admitted, 3, 'a repeated count admits nothing more')
  throttle.disable()
  await Promise.all(tries)
  t.equal(admitted, 5)
})

t.test('a disabled window throttle delays nothing', async t => {
  const throttle = windowThrottle(1)
  throttle.disable()
  const admitted = await Promise.all([throttle.acquire(), throttle.acquire(), throttle.acquire()])
  t.equal(admitted.length, 3)
})

t.test('a rate throttle never exceeds its rate', async t => {
  const started = performance.now()
  const throttle = rateThrottle(1_000)
  for (let event = 0; event < 50; event++) await throttle.acquire()
  t.ok(performance.now() - started >= 49, '50 events at 1,000/s take 50 ms')
  throttle.disable()
  t.equal(throttle.acquire(), undefined, 'a disabled throttle delays nothing')
})
