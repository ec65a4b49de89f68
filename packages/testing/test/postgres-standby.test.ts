import postgres from 'postgres'
import t from 'tap'
import { startPostgres, startStandby, until, withoutStandby } from '../src/index.ts'

t.test('a standby follows, and takes over without what it did not receive', { skip: withoutStandby }, async t => {
  const primary = await startPostgres(t)
  const first = postgres(primary.url, { max: 1, onnotice: () => {} })
  await first`create table kept (id int)`
  const standby = await startStandby(t, primary)
  await first`insert into kept values (1)`
  const second = postgres(standby.url, { max: 1, onnotice: () => {} })
  await until(async () => (await second`select from kept`).length === 1, { what: 'the row to be replicated' })
  await standby.cutOff()
  await first`insert into kept values (2)`
  await primary.kill()
  await standby.promote()
  t.same(await second`insert into kept values (3) returning id`, [{ id: 3 }], 'it accepts writes')
  t.same(await second`select id from kept order by id`, [{ id: 1 }, { id: 3 }])

  const next = await startStandby(t, standby)
  await standby.kill()
  await next.promote()
  const third = postgres(next.url, { max: 1, onnotice: () => {} })
  t.same(await third`select id from kept order by id`, [{ id: 1 }, { id: 3 }], 'it can be followed in its turn')
  await Promise.all([first, second, third].map(sql => sql.end({ timeout: 1 })))
})
