import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { createDatabase, startRedis, TEST_SECRET, tokenOf, type TestContext } from '@tidings/testing'
import { buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'

/** One of the light-my-request methods that the routes know. */
export type Call = {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE', user?: number | string, body?: unknown, headers?: Record<string, string>
}

/** The service with a database and a Redis of its own, and a way to call it as a user. */
export async function setup (t: TestContext, env: Record<string, string> = {}) {
  const [database, redis] = await Promise.all([createDatabase(t), startRedis(t)])
  const app = buildApp(loadConfig({
    NODE_ENV: 'test',
    LOG_LEVEL: 'error',
    TOKEN_SECRET: TEST_SECRET,
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    WEBHOOK_SECRET_KEY: 'a key for tests and nothing else',
    WEBHOOK_ALLOW_PRIVATE: 'true',
    ...env
  }))
  t.teardown(() => app.close())
  app.addHook('onSend', async (request, reply, payload) => checkAnswer(
    request.routeOptions.schema?.response, reply.statusCode, payload as string | null
  ))
  await app.ready()

  async function call (url: string, { method = 'GET', user = 1, body, headers = {} }: Call = {}) {
    const response = await app.inject({
      url,
      method,
      headers: {
        authorization: `Bearer ${tokenOf(user)}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers
      },
      ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) })
    })
    return {
      status: response.statusCode, headers: response.headers, body: response.body === '' ? undefined : response.json()
    }
  }

  return { app, call, redis, sql: database.sql, url: database.url }
}

/** A response that the OpenAPI document does not list is a fault in every test. */
function checkAnswer (documented: unknown, status: number, payload: string | null): void {
  if (documented === undefined) return
  const answer = (documented as Record<number, TSchema | { content: Record<string, { schema: TSchema }> }>)[status]
  if (!answer) throw new Error(`Status ${status} is not documented`)
  const schema = 'content' in answer ? answer.content['application/problem+json']?.schema : answer
  const value: unknown = payload ? JSON.parse(payload) : null
  if (!schema || !Value.Check(schema, value)) {
    throw new Error(
    `Not as documented: ${JSON.stringify(schema && Value.Errors(schema, value))}`
    )
  }
}
