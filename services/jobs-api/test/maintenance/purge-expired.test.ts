import t from 'tap'
import { createSql } from '@tidings/service-kit'
import { purgeExpired } from '../../src/maintenance/purge-expired.ts'
import { setup } from '../setup.ts'

const { signal } = new AbortController()

t.test('idempotency keys older than a day and families without a valid token are purged, no others', async t => {
  const { app, database } = await setup(t)
  await database.sql`
    insert into jobs.idempotency_keys values
      ('1', 'old', 'x', '[]', now() - interval '25 hours'),
      ('1', 'young', 'x', '[]', now() - interval '23 hours')`
  await database.sql`
    insert into jobs.refresh_families (family, user_id, current_id, spent_id, rotated_at, expires_at) values
      ('dead', '1', 'a', 'b', now(), now() - interval '1 second'),
      ('alive', '1', 'a', 'b', now(), now() + interval '1 minute')`
  await purgeExpired(app.sql, { signal })
  t.same((await database.sql`select key from jobs.idempotency_keys`).map(({ key }) => key), ['young'])
  t.same((await database.sql`select family from jobs.refresh_families`).map(({ family }) => family), ['alive'])
})

t.test('more than one batch is purged', async t => {
  const { app, database } = await setup(t)
  await app.close() // its own retention would run concurrently, and each would find batches that are not full
  const sql = createSql(database.url, { max: 1 })
  t.teardown(() => sql.end({ timeout: 1 }))
  await database.sql`
    insert into jobs.idempotency_keys select '1', 'old' || i, 'x', '[]', now() - interval '25 hours' from generate_series(1, 12000) i`
  await database.sql`
    insert into jobs.refresh_families select i::text, '1', 'a', 'b', now(), now() - interval '1 second' from generate_series(1, 12000) i`
  await purgeExpired(sql, { signal })
  for (const table of ['idempotency_keys', 'refresh_families']) {
    t.same(await database.sql.unsafe(`select 1 from jobs.${table}`), [], table)
  }
})
