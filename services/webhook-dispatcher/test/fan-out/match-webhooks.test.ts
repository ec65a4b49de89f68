import t from 'tap'
import type { PublishedJobEvent } from '@tidings/contracts'
import type { Target } from '../../src/delivery/attempt/task.ts'
import { matchWebhooks } from '../../src/fan-out/match-webhooks.ts'
import { targetOf } from '../delivery/target.ts'

const eventOf = (userId: string, seq: number): PublishedJobEvent => ({
  v: 1, type: 'failed', queue: 'q', jobId: 'j', name: 'n', userId, timestamp: 1, error: 'no', eventId: `1-${seq}`
})
const hookOf = (id: number, userId: string, more: Partial<Target> = {}): Target =>
  ({ ...targetOf(id), user_id: userId, ...more })

t.test('each event of a batch goes to webhooks of its own user, also where jobs have the same id', async t => {
  const hooks = [hookOf(1, 'ann'), hookOf(2, 'bob'), hookOf(3, 'bob')]
  const matched = matchWebhooks(
    [eventOf('ann', 1), eventOf('bob', 2), eventOf('cid', 3)], Map.groupBy(hooks, ({ user_id: userId }) => userId)
  )
  t.same(
    matched.map(({ userId, targets }) => [userId, targets.map(({ id }) => id)]), [['ann', [1]], ['bob', [2, 3]]]
  )
})

t.test('an event that only a paused webhook accepts is kept for a replay, without targets', async t => {
  const matched = matchWebhooks([eventOf('ann', 1)], new Map([['ann', [hookOf(1, 'ann', { status: 'paused' })]]]))
  t.same(matched.map(({ targets }) => targets), [[]])
})

t.test('no event goes to a webhook that was created after it', async t => {
  const later = hookOf(1, 'ann', { since_ms: 1, since_seq: 1 })
  t.same(matchWebhooks([eventOf('ann', 1)], new Map([['ann', [later]]])), [])
  t.equal(matchWebhooks([eventOf('ann', 2)], new Map([['ann', [later]]])).length, 1)
})
