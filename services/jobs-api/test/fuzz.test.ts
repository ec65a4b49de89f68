import fc from 'fast-check'
import t from 'tap'
import Schema from 'typebox/schema'
import { signRefreshToken } from '@tidings/contracts'
import { TEST_SECRET, tokenOf } from '@tidings/testing'
import { requests, type Request } from './fuzz/arbitrary.ts'
import { operations, type Operation } from './fuzz/document.ts'
import { makeRows } from './rows.ts'
import { setup } from './setup.ts'

const RUNS = 60

t.test('whatever is asked, the answer is one of the document and never a fault of ours', async t => {
  const { app, database } = await setup(t, { RATE_LIMIT_MAX: '0', JOB_RETENTION_DAYS: '36500' })
  await makeRows(database.sql, { userId: '1', count: 10 })
  // Finished ones: a long poll of those is answered at once.
  const known = { jobIds: ['1-3', '1-4', '1-8', '1-9'], authorization: `Bearer ${tokenOf(1)}` }

  for (const operation of await operations()) {
    await t.test(operation.operationId, async () => {
      await fc.assert(fc.asyncProperty(requests(operation, known), async request => {
        const fault = faultOf(operation, await app.inject(request), request)
        if (fault) throw new Error(fault)
      }), { numRuns: RUNS })
    })
  }

  await t.test('a refresh token that is good is answered as documented, too', async t => {
    const operation = (await operations()).find(({ operationId }) => operationId === 'refreshTokens') as Operation
    const refreshToken = signRefreshToken({ userId: '1', secret: `${TEST_SECRET}, refreshed`, expiresInMs: 60_000 })
    const request = { method: 'POST' as const, url: '/auth/refresh', headers: {}, payload: JSON.stringify({ refreshToken }) }
    t.equal(faultOf(operation, await app.inject({ ...request, headers: { 'content-type': 'application/json' } }), request), undefined)
  })
})

type Answer = { statusCode: number, body: string, headers: Record<string, unknown> }

function faultOf ({ answers }: Operation, { statusCode, body, headers }: Answer, request: Request): string | undefined {
  const asked = `${request.method} ${request.url}`
  if (statusCode >= 500) return `${asked}: ${statusCode} ${body}`
  if (!answers.has(statusCode)) return `${asked}: ${statusCode} is not documented`
  const schema = answers.get(statusCode)
  if (!schema) return body === '' ? undefined : `${asked}: ${statusCode} has a body`
  if (statusCode >= 400 && !String(headers['content-type']).startsWith('application/problem+json')) return `${asked}: no problem+json`
  return Schema.Check(schema, JSON.parse(body)) ? undefined : `${asked}: ${statusCode} is not as documented: ${body}`
}
