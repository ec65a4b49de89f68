import t from 'tap'
import type { AttemptOutcome } from '../../../src/egress/outcome.ts'
import { decide, pausedUntil } from '../../../src/delivery/attempt/retry-policy.ts'

const POLICY = { scheduleMs: [1000, 10_000, 60_000], retryAfterMaxMs: 3_600_000 }
const NOW = 1_000_000
const failed = (
  outcome: Partial<AttemptOutcome> = {}
): AttemptOutcome => ({ ok: false, status: 500, errorClass: 'http-5xx', durations: { totalMs: 1 }, ...outcome })
const pauseOf = (outcome: AttemptOutcome, attempt: number) => {
  const verdict = decide(outcome, attempt, POLICY, NOW)
  return verdict.state === 'pending' ? verdict.dueAt - NOW : verdict.state
}

t.test('a 2xx is delivered', async t => {
  t.same(decide({ ok: true, status: 204, durations: { totalMs: 1 } }, 4, POLICY), { state: 'delivered' })
})

t.test('each failure is retried after the scheduled pause or slightly later, until the schedule ends', async t => {
  for (const [i, pause] of POLICY.scheduleMs.entries()) {
    for (let n = 0; n < 100; n++) {
      const waited = pauseOf(failed(), i + 1) as number
      t.ok(waited >= pause && waited <= pause * 1.2, `${waited} ms after attempt ${i + 1}`)
    }
  }
  t.equal(pauseOf(failed(), 4), 'failed')
})

t.test('a network error is a failure like another', async t => {
  t.type(pauseOf({ ok: false, errorClass: 'dns', durations: { totalMs: 1 } }, 1), 'number')
})

t.test('Retry-After counts where it is longer, up to the cap', async t => {
  t.equal(pauseOf(failed({ retryAfterMs: 120_000 }), 1), 120_000)
  t.equal(pauseOf(failed({ retryAfterMs: 86_400_000 }), 1), 3_600_000)
  t.ok(pauseOf(failed({ retryAfterMs: 1 }), 1) as number >= 1000)
})

t.test('410 ends the delivery', async t => {
  t.equal(pauseOf(failed({ status: 410 }), 1), 'failed')
  t.ok(pausedUntil(failed({ status: 410 }), POLICY, NOW) as number > NOW)
})

t.test('429, 502, 503 and 504 pause the endpoint, others do not', async t => {
  for (const status of [429, 502, 503, 504]) {
    t.equal(pausedUntil(failed({ status }), POLICY, NOW), NOW + 1000)
    t.equal(pausedUntil(failed({ status, retryAfterMs: 5000 }), POLICY, NOW), NOW + 5000)
  }
  for (const status of [400, 404, 500]) {
    t.equal(pausedUntil(failed({ status, retryAfterMs: 5000 }), POLICY, NOW), undefined)
  }
})
