import t from 'tap'
import type { WebhookHealth } from 'tidings'
import { describeHealth, healthFormat, healthText } from '../src/health-text.ts'

const NOW = Date.parse('2026-01-01T01:00:00Z')
const HEALTHY: WebhookHealth = {
  circuit: 'closed', failures: 0, failingSince: null, openUntil: null, nextAttemptAt: null
}
const OPEN: WebhookHealth = {
  circuit: 'open',
  failures: 42,
  failingSince: '2026-01-01T00:00:00Z',
  openUntil: '2026-01-01T01:00:40Z',
  nextAttemptAt: '2026-01-01T01:00:40Z'
}

t.test('it is said since when an endpoint fails, and when it is tried next', async t => {
  t.equal(healthText(HEALTHY, NOW), 'ok')
  t.equal(healthText(OPEN, NOW), 'circuit open for 1h, next attempt in 40s')
  const due = { ...OPEN, circuit: 'half-open' as const, nextAttemptAt: '2026-01-01T00:59:00Z' }
  t.equal(healthText(due, NOW), 'circuit half-open for 1h, next attempt now')
  t.equal(healthText({ ...OPEN, circuit: 'failing', nextAttemptAt: null }, NOW), 'failing for 1h')
  t.same([HEALTHY, OPEN, due].map(healthFormat), [undefined, 'red', 'yellow'])
})

t.test('one webhook shows all of it, and nothing where its endpoint answers', async t => {
  t.same(describeHealth({ health: HEALTHY, status: 'active' }, NOW), [])
  t.same(describeHealth({ health: OPEN, status: 'active' }, NOW), [
    'endpoint circuit open for 1h, next attempt in 40s',
    'failures 42 in a row since 2026-01-01T00:00:00Z',
    'paused until 2026-01-01T01:00:40Z',
    'next attempt 2026-01-01T01:00:40Z'
  ])
  const health = { ...OPEN, nextAttemptAt: null }
  t.equal(describeHealth({ health, status: 'active' }, NOW).at(-1), 'next attempt with the next event')
  t.equal(describeHealth({ health, status: 'paused' }, NOW).at(-1), 'next attempt once the webhook is active')
})

t.test('a server of the release before is shown without', async t => {
  const health = undefined
  t.same([healthText(health), describeHealth({ health, status: 'active' }), healthFormat(health)], ['', [], undefined])
})
