import t from 'tap'
import { forgetSpent } from '../../src/retention/forget-spent.ts'
import { setup } from '../setup.ts'

t.test('keys older than a day and families without a living token are forgotten, no others', async t => {
  const { app, database } = await setup(t)
  await database.sql`
    insert into jobs.idempotency_keys values
      ('1', 'old', 'x', '[]', now() - interval '25 hours'),
      ('1', 'young', 'x', '[]', now() - interval '23 hours')`
  await database.sql`
    insert into jobs.refresh_families (family, user_id, current_id, spent_id, rotated_at, expires_at) values
      ('dead', '1', 'a', 'b', now(), now() - interval '1 second'),
      ('alive', '1', 'a', 'b', now(), now() + interval '1 minute')`
  await forgetSpent(app.sql)
  t.same((await database.sql`select key from jobs.idempotency_keys`).map(({ key }) => key), ['young'])
  t.same((await database.sql`select family from jobs.refresh_families`).map(({ family }) => family), ['alive'])
})
