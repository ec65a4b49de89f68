import postgres from 'postgres'
import t from 'tap'
import { createDatabase, startPostgres } from '../src/index.ts'

t.test('databases of two tests are isolated', async t => {
  const one = await createDatabase(t)
  const two = await createDatabase(t)
  await one.sql`create table seen (id int)`
  t.same(await two.sql`select from pg_tables where tablename = 'seen'`, [])
})

t.test('a Postgres cluster for one test', async t => {
  const cluster = await startPostgres(t)
  const query = async <T>(run: (sql: postgres.Sql) => Promise<T>) => {
    const sql = postgres(cluster.url, { max: 1, connect_timeout: 30, onnotice: () => {} })
    try {
      return await run(sql)
    } finally {
      await sql.end({ timeout: 1 })
    }
  }
  await query(sql => sql`create table kept (id int)`)

  await t.test('keeps its data after SIGKILL with open sessions and a start on the same port', async t => {
    const open = postgres(cluster.url, { max: 3, onnotice: () => {} })
    await open`insert into kept values (1)`
    await cluster.kill()
    await cluster.start()
    t.same(await query(sql => sql`select id from kept`), [{ id: 1 }])
    await open.end({ timeout: 1 })
  })

  await t.test('refuses connections while stopped', async t => {
    await cluster.stop()
    await t.rejects(query(sql => sql`select 1`), { code: 'ECONNREFUSED' })
    await cluster.start()
    t.same(await query(sql => sql`select 1 as one`), [{ one: 1 }])
  })

  await t.test('answers nothing while paused, then continues', async t => {
    await query(async sql => {
      await sql`select 1`
      cluster.pause()
      const answer = sql`select 2 as two`.execute()
      const first = await Promise.race([answer, new Promise(resolve => { setTimeout(resolve, 200, 'silent') })])
      t.equal(first, 'silent')
      cluster.resume()
      t.same(await answer, [{ two: 2 }])
    })
  })
})
