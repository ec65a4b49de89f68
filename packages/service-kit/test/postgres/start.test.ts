import Fastify from 'fastify'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createDatabase, freePort, startPgbouncer, withoutPgbouncer, type TestContext } from '@tidings/testing'
import { postgres, serviceOptions } from '../../src/index.ts'

const migrations = new URL('./migrations', import.meta.url)
/** Fastify's own timeout of a plugin. */
const FASTIFYS_PATIENCE_MS = 10_000

function service (t: TestContext, url: string, startTimeoutMs = 60_000) {
  const app = Fastify(serviceOptions({ LOG_LEVEL: 'silent' }))
  app.register(postgres, { url, schema: 'kit', migrations, startTimeoutMs, max: 3 })
  t.teardown(() => app.close())
  return app
}

const faultOf = async (start: PromiseLike<unknown>): Promise<Error> =>
  await Promise.resolve(start).then(() => new Error('it started'), (err: Error) => err)

t.test('a migration may take longer than the plugin timeout', async t => {
  const { url, sql } = await createDatabase(t)
  const holder = await sql.reserve()
  await holder`select pg_advisory_lock(hashtext('tidings:kit'))`
  const ready = Promise.resolve(service(t, url).ready()).then(() => 'ready')
  const first = await Promise.race([ready, sleep(FASTIFYS_PATIENCE_MS + 1000, 'still waiting')])
  t.equal(first, 'still waiting')
  await holder`select pg_advisory_unlock(hashtext('tidings:kit'))`
  holder.release()
  t.equal(await ready, 'ready')
})

t.test('a failed start names the host, the role and the reason', async t => {
  const port = await freePort()
  const { message, cause } = await faultOf(service(t, `postgres://me:secret@127.0.0.1:${port}/mine`, 600).ready())
  t.match(message, `Postgres at 127.0.0.1:${port}, database "mine", role "me"`)
  t.match(message, /ECONNREFUSED/)
  t.equal(cause, undefined, 'the log would repeat the reason')
  t.notMatch(message, /secret|plugin/)
})

t.test('a start does not wait for a database that does not exist', async t => {
  const { url } = await createDatabase(t)
  const missing = new URL(url)
  missing.pathname = '/nowhere'
  t.match((await faultOf(service(t, missing.href).ready())).message, /database "nowhere" does not exist/)
})

t.test('a server without the requested TLS is named as the reason', async t => {
  const { url } = await createDatabase(t)
  t.match((await faultOf(service(t, `${url}?sslmode=require`, 500).ready())).message, /TLS failed/)
})

t.test('an ordinary role is enough, if it owns the schema or may create it', async t => {
  const { url, sql } = await createDatabase(t)
  const database = new URL(url).pathname.slice(1)
  const roles = ['owner', 'maker', 'stranger'].map(name => `${name}_${database}`) as [string, string, string]
  for (const role of roles) await sql`create role ${sql(role)} login`
  t.teardown(async () => {
    await sql`drop schema if exists kit cascade`
    for (const role of roles) {
      await sql`revoke all on database ${sql(database)} from ${sql(role)}`
      await sql`drop role ${sql(role)}`
    }
  })
  const as = (role: string) => service(t, Object.assign(new URL(url), { username: role }).href)

  t.match((await faultOf(as(roles[2]).ready())).message, /permission denied.*needs CREATE on the database, or to own/)
  await sql`create schema kit authorization ${sql(roles[0])}`
  await as(roles[0]).ready()
  await sql`drop schema kit cascade`
  await sql`grant create on database ${sql(database)} to ${sql(roles[1])}`
  await as(roles[1]).ready()
})

t.test('behind PgBouncer', { skip: withoutPgbouncer }, async t => {
  await t.test('a pool of sessions works', async t => {
    const { url } = await createDatabase(t)
    const app = service(t, await startPgbouncer(t, url, { mode: 'session' }))
    await app.ready()
    await app.sql`insert into kit.things (name) values ('a')`
    t.same([...await app.sql`select name from kit.things`], [{ name: 'a' }])
  })

  for (const mode of ['transaction', 'statement'] as const) {
    await t.test(`a pool of ${mode}s is refused at the start`, async t => {
      const { url } = await createDatabase(t)
      const fault = await faultOf(service(t, await startPgbouncer(t, url, { mode })).ready())
      t.equal(fault.name, 'ConfigError')
      t.match(fault.message, /pooler in transaction \(or statement\) mode/)
    })
  }

  await t.test('a pool of sessions that accepts the former settings alone works', async t => {
    const { url } = await createDatabase(t)
    const settings = { ignore_startup_parameters: 'statement_timeout' }
    const app = service(t, await startPgbouncer(t, url, { mode: 'session', settings }))
    await app.ready()
    const options = app.sql.options as unknown as { silence_timeout: number | null }
    t.equal(options.silence_timeout, 15, 'statements still have a timeout')
  })

  await t.test('and so does a pool that accepts the settings of a connection', async t => {
    const { url } = await createDatabase(t)
    const settings = { ignore_startup_parameters: 'statement_timeout,extra_float_digits' }
    const fault = await faultOf(service(t, await startPgbouncer(t, url, { mode: 'transaction', settings })).ready())
    t.equal(fault.name, 'ConfigError')
  })
})
