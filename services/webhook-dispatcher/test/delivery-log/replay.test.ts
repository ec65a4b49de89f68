import Fastify from 'fastify'
import t from 'tap'
import { postgres } from '@tidings/service-kit'
import { createDatabase } from '@tidings/testing'
import { findReplay, replayStart, requestReplay } from '../../src/delivery-log/replay.ts'

const DAY_MS = 86_400_000
const RETENTION_MS = 14 * DAY_MS

t.test('a replay since a time begins just before it, since an event just after it', async t => {
  const now = Date.UTC(2026, 5, 15)
  t.same(replayStart('2026-06-14T00:00:00Z', RETENTION_MS, now), { ms: now - DAY_MS - 1, seq: Number.MAX_SAFE_INTEGER })
  t.same(
    replayStart('2026-06-14T02:00:00+02:00', RETENTION_MS, now), { ms: now - DAY_MS - 1, seq: Number.MAX_SAFE_INTEGER }
  )
  t.same(replayStart(`${now - DAY_MS}-5`, RETENTION_MS, now), { ms: now - DAY_MS, seq: 5 })
  t.same(replayStart('2026-06-01T00:00:00Z', RETENTION_MS, now).ms, now - RETENTION_MS - 1, 'all of the 14 days')
  t.throws(() => replayStart('2026-05-31T23:59:59Z', RETENTION_MS, now))
  t.throws(() => replayStart('2026-06-15T00:00:01Z', RETENTION_MS, now))
})

t.test('one replay of a webhook runs at a time', async t => {
  const { url, sql } = await createDatabase(t)
  const app = Fastify().register(
    postgres,
    { url, drizzle: true, schema: 'webhooks', migrations: new URL('../../src/db/migrations/', import.meta.url) }
  )
  t.teardown(() => app.close())
  await app.ready()
  const [webhook] = await sql`
    insert into webhooks.webhooks (user_id, url, event_type, since_ms, since_seq) values ('1', 'https://example.com', 'all', 0, 0) returning id`
  await sql`insert into webhooks.events (event_ms, event_seq, user_id, type, chain, body) values (1000, 1, '1', 'completed', 'default:1', '{}')`
  const key = { userId: '1', id: webhook?.id as number }

  const replay = await requestReplay(app.db, key, { ms: 0, seq: 0 })
  t.match(replay, { webhookId: key.id, status: 'running', deliveries: 0, finishedAt: null })
  await t.rejects(requestReplay(app.db, key, { ms: 0, seq: 0 }), { code: 'REPLAY_RUNNING', statusCode: 409 })

  await sql`update webhooks.replays set finished_at = now(), deliveries = 1 where id = ${replay.id}`
  t.match(await findReplay(app.db, key.id, replay.id), { status: 'finished', deliveries: 1 })
  t.match(
    await requestReplay(app.db, key, { ms: 1000, seq: 1 }), { status: 'finished' }, 'nothing came after that event'
  )
  t.match(await requestReplay(app.db, key, { ms: 1000, seq: 0 }), { status: 'running' })
})
