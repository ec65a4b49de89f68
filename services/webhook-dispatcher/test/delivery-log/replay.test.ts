import Fastify from 'fastify'
import t from 'tap'
import { postgres } from '@tidings/service-kit'
import { createDatabase } from '@tidings/testing'
import { findReplay, requestReplay } from '../../src/delivery-log/replay.ts'

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
  const request = async (seq: number, ms = 1000) => await requestReplay(
    app.db, key, { range: { at: { ms, seq }, until: undefined }, conditions: { since: `${ms}-${seq}` } }
  )

  const replay = await request(0, 0)
  t.match(
    replay,
    { webhookId: key.id, status: 'running', conditions: { since: '0-0' }, deliveries: 0, finishedAt: null }
  )
  await t.rejects(request(0, 0), { code: 'REPLAY_RUNNING', statusCode: 409 })

  await sql`update webhooks.replay_requests set finished_at = now(), deliveries = 1 where id = ${replay.id}`
  t.match(await findReplay(app.db, { webhookId: key.id, id: replay.id }), { deliveries: 1 })
  t.match(await request(1), { status: 'finished' }, 'nothing came after that event')
  t.match(await request(0), { status: 'running' })
})
