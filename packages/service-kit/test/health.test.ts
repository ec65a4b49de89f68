import Fastify from 'fastify'
import t from 'tap'
import type { TestContext } from '@tidings/testing'
import { health } from '../src/index.ts'

async function setup (t: TestContext) {
  const app = Fastify()
  await app.register(health)
  t.teardown(() => app.close())
  const ready = async () => {
    const answer = await app.inject('/readyz')
    return { status: answer.statusCode, body: answer.json() }
  }
  return { app, ready }
}

t.test('ready while all checks pass', async t => {
  const { app, ready } = await setup(t)
  app.addReadinessCheck('store', 'required', async () => undefined)
  t.same(await ready(), { status: 200, body: { status: 'ok' } })
  t.equal((await app.inject('/livez')).statusCode, 200)
})

t.test('a failing required check makes the service unready, an optional one degraded', async t => {
  const { app, ready } = await setup(t)
  const faults: string[] = []
  app.addReadinessCheck('redis', 'optional', () => 'away')
  app.addReadinessCheck('store', 'required', () => faults[0])
  t.same(await ready(), { status: 200, body: { status: 'degraded', degraded: { redis: 'away' } } })
  faults.push('no answer')
  t.match(await ready(), { status: 503, body: { status: 'unready', faults: { redis: 'away', store: 'no answer' } } })
})

t.test('a check that throws or hangs counts as failed', async t => {
  const { app, ready } = await setup(t)
  app.addReadinessCheck('throws', 'required', () => { throw new Error('broken') })
  app.addReadinessCheck('hangs', 'required', () => new Promise(() => {}))
  t.match(await ready(), { status: 503, body: { faults: { throws: 'broken', hangs: 'no answer in time' } } })
})
