import fc from 'fast-check'
import { createSigner } from 'fast-jwt'
import t from 'tap'
import { signRefreshToken, type Erasure, type StartedBulk } from '@tidings/contracts'
import { TEST_SECRET, tokenOf } from '@tidings/testing'
import { fuzz, operationsOf, type Operation } from '@tidings/testing/fuzz'
import { describeApi } from '../src/openapi.ts'
import { formatCursor } from '../src/read/cursor.ts'
import { makeRows } from './generate-rows.ts'
import { setup } from './setup.ts'

/** Ids of a hundred jobs by state: 0 waiting, 1 delayed, 2 active, 3 completed, 4 failed. */
const idsOf = (...states: number[]) => Array.from({ length: 100 }, (_, i) => i).filter(i => states.includes(i % 5)).map(
  i => `1-${i}`
)

function jobIdsFor ({ operationId }: Operation): string[] {
  if (operationId === 'cancelJob') return idsOf(0, 1, 2, 3)
  if (operationId === 'retryJob') return idsOf(4)
  return idsOf(3, 4) // a long poll of these is answered at once
}

t.test('every response to random input is one of the document, and never an internal error', async t => {
  const { app, database } = await setup(t, {
    RATE_LIMIT_MAX: '0', JOB_RETENTION_DAYS: '36500', SWEEP_INTERVAL_MS: '3600000'
  })
  await makeRows(database.sql, { userId: '1', count: 100, queues: 'default' })
  // so that they can be retried
  await database.sql`update jobs.jobs set ours = true, data = '{}', options = '{}' where state = 4`
  const refreshToken = signRefreshToken({ userId: '1', secret: `${TEST_SECRET}, refreshed`, expiresInMs: 60_000 })

  const operator = createSigner({ key: TEST_SECRET, algorithm: 'HS256' })({
    userId: 'operator', scope: 'operator:write'
  })
  const erasure = await app.inject({
    method: 'DELETE', url: '/users/nobody', headers: { authorization: `Bearer ${operator}` }
  })
  const { erasureId } = erasure.json<Erasure>()

  const bulk = await app.inject({
    method: 'POST',
    url: '/bulk',
    headers: { authorization: `Bearer ${tokenOf(1)}` },
    payload: { action: 'retry', ids: ['nothing'] }
  })
  const { bulkId } = bulk.json<StartedBulk>()

  for (const operation of operationsOf(await describeApi())) {
    await t.test(operation.operationId, async t => {
      const known = {
        authorization: `Bearer ${/^\/(users|operators)/.test(operation.path) ? operator : tokenOf(1)}`,
        good: {
          jobId: fc.constantFrom(...jobIdsFor(operation)),
          queue: fc.constant('default'),
          cursor: fc.constant(formatCursor({ key: 1_640_995_200_005, n: 5, page: 2, order: 'created' })),
          sort: fc.constant('created'), // the order of the cursor, and of any status
          // Any other event is one of the future, or needs a wait.
          after: fc.constant('0-1'),
          wait: fc.constant(1),
          // with `wait` this waits
          'if-none-match': fc.oneof({
            weight: 5, arbitrary: fc.constant('"1-1"')
          }, { weight: 1, arbitrary: fc.constant('*') }),
          refreshToken: fc.constant(refreshToken),
          userId: fc.constant('nobody'),
          erasureId: fc.constant(erasureId),
          // Redeliveries need a dispatcher.
          action: fc.constantFrom('retry', 'cancel'),
          bulkId: fc.constant(bulkId),
          ids: fc.constant(['1-4']),
          filter: fc.constant({ name: 'x' })
        },
        // a long poll that is granted takes seconds
        bad: {
          userId: fc.constantFrom('a'.repeat(5000), 'a\u0000b', '\r\n'),
          erasureId: fc.constantFrom('x', '7', 'a'.repeat(5000)),
          bulkId: fc.constantFrom('x', 'deliveries-', 'a'.repeat(5000)),
          action: fc.constantFrom('burn', '', 7),
          wait: fc.constantFrom(0, 31, -1, 1.5, 'x', '')
        }
      }
      const runs = operation.body ? 240 : 60
      const statuses = await fuzz(operation, { ask: async request => await app.inject(request), known, runs })
      t.comment([...statuses].toSorted((a, b) => a - b).join(' '))
      t.ok([...statuses].some(status => status < 300), 'valid input succeeds')
    })
  }
})
