import type { Mutation } from '../mutation.ts'
import { API, GATEWAY, KIT } from './paths.ts'

export const outages: Mutation[] = [
  {
    without: 'the next try of the relay, after a failed one',
    file: `${API}/src/relay/relay-loop.ts`,
    search: 'await pause(backoff(failures++, RETRY), signal)',
    replacement: 'return',
    tests: { [`${API}/test/away.test.ts`]: 'without Redis the service is ready but degraded' }
  },
  {
    without: 'a 503 for a Postgres that is away',
    file: `${KIT}/src/problems.ts`,
    search: '(isPostgresUnavailable(err) || isRedisUnavailable(err))',
    replacement: '(isPostgresUnavailable(err) && isRedisUnavailable(err))',
    tests: { [`${KIT}/test/problems.test.ts`]: 'an unavailable Postgres or Redis is a 503' }
  },
  {
    without: 'the known revocations, while Redis is away',
    file: `${GATEWAY}/src/admission/revocations.ts`,
    search: 'const notBefore = known.get(identity.userId)',
    replacement: 'const notBefore = redis.status === \'ready\' ? known.get(identity.userId) : undefined',
    tests: { [`${GATEWAY}/test/admission/revocations.test.ts`]: 'while Redis is away a replica refuses users' }
  },
  {
    without: 'the last known answer about a revocation',
    file: `${KIT}/src/revocations.ts`,
    search: 'return known // as if',
    replacement: 'return 0 // as if',
    tests: { [`${KIT}/test/revocations.test.ts`]: 'while Redis is away the last known answer holds' }
  },
  {
    without: 'the own count of sessions, while Redis is away',
    file: `${GATEWAY}/src/admission/session-quota.ts`,
    search: 'if (count > max) return undefined',
    replacement: '',
    tests: { [`${GATEWAY}/test/admission/session-quota.test.ts`]: 'while Redis is away the replica' }
  }
]
