import { connect, createServer, type AddressInfo } from 'node:net'
import Fastify from 'fastify'
import t from 'tap'
import { sql as drizzleSql } from 'drizzle-orm'
import { createDatabase, startPostgres } from '@tidings/testing'
import { createSql, isAway, postgres } from '../../src/index.ts'

const migrations = new URL('./migrations', import.meta.url)

function service (url: string) {
  const app = Fastify()
  app.register(postgres, { url, schema: 'kit', migrations, drizzle: true })
  return app
}

t.test('replicas that start together migrate once', async t => {
  const { url } = await createDatabase(t)
  const first = service(url)
  const apps = [first, service(url), service(url)]
  t.teardown(() => Promise.all(apps.map(app => app.close())))
  await Promise.all(apps.map(app => app.ready()))
  t.same(await first.sql`select count(*) from kit.migrations`, [{ count: 1 }])
  await first.sql`insert into kit.things (name) values ('a')`
  t.same(await first.sql`select id, name from kit.things`, [{ id: 1, name: 'a' }], 'a bigint is a number')
  const rows = await first.db.execute(drizzleSql`select name from kit.things`)
  t.same([...rows], [{ name: 'a' }])
})

t.test('a start waits for a Postgres that comes up, and a lost one is not a refused statement', async t => {
  const server = await startPostgres(t)
  await server.stop()
  const app = service(server.url)
  t.teardown(() => app.close())
  const ready = app.ready()
  await server.start()
  await ready
  const refused = await app.sql`select * from nowhere`.catch((err: unknown) => err)
  t.notOk(isAway(refused))
  await server.stop()
  const lost = await app.sql`select 1`.catch((err: unknown) => err)
  t.ok(isAway(lost), String(lost))
})

t.test('a connection that is lost while it is opened fails its query, without an unhandled rejection', async t => {
  const url = new URL((await createDatabase(t)).url)
  const [port, host] = [Number(url.port), url.hostname]
  let resets = 1
  // Resets the first connection while postgres.js sends its own queries before the first query.
  const proxy = createServer(client => {
    const server = connect(port, host)
    client.on('error', () => server.destroy())
    server.on('error', () => client.destroy()).pipe(client)
    client.on('data', (chunk: Buffer) => {
      if (resets > 0 && chunk.includes('typarray')) {
        resets--
        client.resetAndDestroy()
      } else server.write(chunk)
    }).on('close', () => server.destroy())
  })
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
  t.teardown(() => proxy.close())
  url.port = String((proxy.address() as AddressInfo).port)
  const sql = createSql(url.href, { max: 1 })
  t.teardown(() => sql.end({ timeout: 1 }))

  const lost = await sql`select 1`.catch((err: unknown) => err)
  t.ok(isAway(lost), String(lost))
  t.equal(resets, 0)
  t.same([...await sql`select ${['a', 'b']}::text[] as texts`], [{ texts: ['a', 'b'] }], 'the next one knows all types')
})

t.test('errors of the network count as an unavailable Postgres', async t => {
  for (const code of ['EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'EPIPE']) {
    t.ok(isAway(Object.assign(new Error(code), { code })), code)
  }
  t.notOk(isAway(new TypeError('not of the network')))
})
