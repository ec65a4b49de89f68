import t from 'tap'
import { Endpoint } from '../../../src/delivery/scheduler/endpoint.ts'
import { LatencyAverage } from '../../../src/delivery/scheduler/latency-average.ts'
import { PostgresClock } from '../../../src/delivery/scheduler/postgres-clock.ts'
import { setup } from '../../setup.ts'
import { targetOf } from '../target.ts'

const HOUR = 3_600_000
const endpointOf = (clock: PostgresClock) => new Endpoint(targetOf(1), 10, new LatencyAverage(), clock)

t.test('an endpoint is paused by the clock of Postgres, whatever ours shows', async t => {
  for (const skew of [-HOUR, 0, HOUR]) {
    const clock = new PostgresClock()
    clock.sync(Date.now() + skew)
    const endpoint = endpointOf(clock)
    endpoint.syncHealth({ failures: 1, open_until: Date.now() + skew - 1000 })
    t.equal(endpoint.isPaused, false, `over for a second, ${skew}`)
    endpoint.syncHealth({ failures: 1, open_until: Date.now() + skew + 60_000 })
    t.equal(endpoint.isPaused, true, `for a minute, ${skew}`)
  }
})

t.test('a pause of a second is over after a second, also when the clock is set back meanwhile', async t => {
  const endpoint = endpointOf(new PostgresClock())
  const { now } = Date
  t.teardown(() => { Date.now = now })
  endpoint.record({
    startedAt: 0, outcome: { ok: false, status: 429, durations: { totalMs: 1 } }, pausedUntil: Date.now() + 20
  })
  Date.now = () => now() - HOUR
  t.equal(endpoint.isPaused, true)
  await new Promise(resolve => setTimeout(resolve, 40))
  t.equal(endpoint.isPaused, false)
})

t.test('each claim reads the clock of Postgres', async t => {
  const { app } = await setup(t)
  const { clock } = app.delivery.endpoints
  clock.sync(0)
  await new Promise<void>(resolve => {
    const timer = setInterval(() => {
      if (clock.now() < Date.now() - HOUR) return
      clearInterval(timer)
      resolve()
    }, 10)
  })
  t.ok(Math.abs(clock.now() - Date.now()) < 60_000)
})
