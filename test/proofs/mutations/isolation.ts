import type { Mutation } from '../mutation.ts'
import { API, DISPATCHER, GATEWAY, KIT } from './paths.ts'

const access = 'test/access.test.ts'

export const isolation: Mutation[] = [
  {
    without: 'the owner, when a job is looked up',
    file: `${API}/src/read/find-jobs.ts`,
    search: 'where jobs.user_id = wanted.user_id and jobs.id = wanted.id',
    replacement: 'where jobs.id = wanted.id',
    tests: { [`${API}/test/routes/jobs.test.ts`]: 'a job', [access]: 'getJob' }
  },
  {
    without: 'the owner, when jobs are listed',
    file: `${API}/src/read/job-ranges.ts`,
    search: 'const bounds = [...equals(sql, \'user_id\', userId), ...named, ',
    replacement: 'const bounds = [...equals(sql, \'user_id\', userId).slice(1), ...named, ',
    tests: { [`${API}/test/routes/jobs.test.ts`]: 'a list' }
  },
  {
    without: 'the owner, when a webhook is looked up',
    file: `${DISPATCHER}/src/webhooks/webhook-row.ts`,
    search: 'return and(eq(webhooks.userId, userId), eq(webhooks.kind, \'own\'), isNull(webhooks.deletedAt))',
    replacement: 'return and(eq(webhooks.kind, userId ? \'own\' : \'none\'), isNull(webhooks.deletedAt))',
    tests: { [`${DISPATCHER}/test/routes/webhooks.test.ts`]: 'webhook is as one that does not exist' }
  },
  {
    without: 'the owner, when a delivery is looked up',
    file: `${DISPATCHER}/src/delivery-log/find-delivery.ts`,
    search: 'and(eq(webhooks.id, allDeliveries.webhookId), eq(webhooks.userId, userId))',
    replacement: 'and(eq(webhooks.id, allDeliveries.webhookId), userId ? undefined : eq(webhooks.id, 0))',
    tests: { [`${DISPATCHER}/test/routes/deliveries.test.ts`]: 'deliveries of others are as those' }
  },
  {
    without: 'the scope that a route needs',
    file: `${KIT}/src/access.ts`,
    search: 'if ((scopeBits & own) === 0) throw insufficientScope(scopes[0])',
    replacement: '',
    tests: { [`${KIT}/test/access.test.ts`]: 'a missing scope is a 403' }
  },
  {
    without: 'the scope of operators',
    file: `${KIT}/src/access.ts`,
    search: 'if ((scopeBits & operator) === 0) throw insufficientScope(operatorScope)',
    replacement: '',
    tests: { [`${KIT}/test/access.test.ts`]: 'a token without a scope claim may do everything' }
  },
  {
    without: 'the owner, when an event goes to sessions',
    file: `${GATEWAY}/src/stream/stream-tail.ts`,
    search: 'const sessions = hub.sessionsOf(entry.owner)',
    replacement: 'const sessions = new Set(hub.sessions)',
    tests: { [`${GATEWAY}/test/conformance.test.ts`]: '' }
  },
  {
    without: 'the owner, when an event goes to webhooks',
    file: `${DISPATCHER}/src/fan-out/match-webhooks.ts`,
    search: 'const targets = targetsByUser.get(event.userId)',
    replacement: 'const targets = [...targetsByUser.values()].flat()',
    tests: { [`${DISPATCHER}/test/fan-out/match-webhooks.test.ts`]: 'each event of a batch goes to webhooks of its own user' }
  }
]
