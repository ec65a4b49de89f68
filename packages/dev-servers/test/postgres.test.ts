import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import postgres from 'postgres'
import t from 'tap'
import { isAlive, PortTakenError, ServerStartError, startPostgres } from '../src/index.ts'
import { temporaryFolder } from './folder.ts'

const settings = { fsync: 'off', shared_buffers: '32MB' }

async function ask (url: string, statement: string): Promise<object[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return [...await sql.unsafe(statement)]
  } finally {
    await sql.end({ timeout: 1 })
  }
}

t.test('a cluster', async t => {
  const dir = join(temporaryFolder(t), 'data')
  const options = {
    dir,
    settings,
    database: 'shop',
    user: 'owner',
    password: 'first',
    role: { user: 'app', password: 'it\'s' }
  }
  let server = await startPostgres(options)
  t.teardown(() => server.stop())
  const { port } = server

  await t.test('has the requested database and role', async t => {
    t.match(await ask(server.url, 'select current_user::text as user, current_database()::text as database'), [
      { user: 'app', database: 'shop' }
    ])
    t.match(await ask(server.url, 'show max_connections'), [{ max_connections: '200' }])
    await t.rejects(ask(server.url.replace('app:it\'s', 'app:wrong'), 'select 1'), {
      message: /password authentication failed/
    })
    t.match(await ask(server.url, 'select rolsuper as super from pg_roles where rolname = current_user'), [
      { super: false }
    ])
    await ask(server.url, 'create schema own')
    await ask(server.url, 'create table kept as select 1 as one')
  })

  await t.test('is started once', async t => {
    await t.rejects(startPostgres(options), { message: `a Postgres server already runs on ${dir} (pid ${server.pid})` })
    await t.rejects(startPostgres({
      dir: join(temporaryFolder(t), 'data'),
      port
    }), new PortTakenError(port, 'Postgres'))
  })

  await t.test('starts again on its port after SIGKILL, even if its pid file names a living process', async t => {
    server.process.kill('SIGKILL')
    await server.exited
    const file = join(dir, 'postmaster.pid')
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^\d+/, String(process.ppid)))
    server = await startPostgres({ ...options, port })
    t.match(await ask(server.url, 'select one from kept'), [{ one: 1 }])
  })

  await t.test('accepts a new password for the role, and only the original one for its owner', async t => {
    await server.stop()
    t.notOk(isAlive(server.pid))
    await t.rejects(startPostgres({ ...options, password: 'second' }), ServerStartError)
    server = await startPostgres({ ...options, role: { user: 'app', password: 'new' } })
    t.match(await ask(server.url, 'select one from kept'), [{ one: 1 }])
  })
})

t.test('refused settings are reported with the last output of the server', async t => {
  const start = startPostgres({
    dir: join(temporaryFolder(t), 'data'),
    settings: { ...settings, max_connections: 'many' }
  })
  await t.rejects(start, { message: /^Postgres at .* ended at its start[^]*max_connections/ })
})
