import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { createDatabase, until } from '@tidings/testing'
import { createSql, isAway, withTimeout, type RawSql } from '../../src/index.ts'
import { reconnectAfter } from '../../src/postgres/client.ts'
import { startSilentWay } from '../silent-way.ts'

const SILENCE_S = 0.5
const PATIENCE_MS = 60_000

async function startWay (t: Test) {
  const url = new URL((await createDatabase(t)).url)
  const way = await startSilentWay(t, Number(url.port))
  url.port = String(way.port)
  return { ...way, url: url.href }
}

function open (t: Test, url: string, silenceS?: number): RawSql {
  const sql = createSql(url, { max: 1, ...(silenceS !== undefined && { silence_timeout: silenceS }) })
  t.teardown(() => sql.end({ timeout: 0 }))
  return sql
}

t.test('a connection that nobody answers or closes is replaced, and its statements fail as if it was lost', async t => {
  const way = await startWay(t)
  const sql = open(t, way.url, SILENCE_S)
  await until(async () => await sql`select 1`)
  way.silence()
  const failed = await sql`select 1`.catch((err: unknown) => err)
  t.ok(isAway(failed), String(failed))
  await until(async () => await sql`select 1`)
  t.ok(way.connections() > 1)
})

t.test('a transaction that gets no answer fails, and the next one has another connection', async t => {
  const way = await startWay(t)
  const sql = open(t, way.url, SILENCE_S)
  await until(async () => await sql`select 1`)
  const failed = await sql.begin(async tx => {
    way.silence()
    return await tx`select 1`
  }).catch((err: unknown) => err)
  t.ok(isAway(failed), String(failed))
  await until(async () => await sql.begin(async tx => await tx`select 1`))
})

t.test('a connection without a pending statement stays, however long nothing comes', async t => {
  const way = await startWay(t)
  const sql = open(t, way.url, SILENCE_S)
  await until(async () => await sql`select 1`)
  const before = way.connections()
  await sleep(SILENCE_S * 2000)
  await until(async () => await sql`select 1`)
  t.equal(way.connections(), before)
})

t.test('a connection that was idle before is replaced as well', async t => {
  const way = await startWay(t)
  const sql = open(t, way.url, SILENCE_S)
  await until(async () => await sql`select 1`)
  await sleep(SILENCE_S * 2000)
  way.silence()
  const failed = await sql`select 1`.catch((err: unknown) => err)
  t.ok(isAway(failed), String(failed))
  await until(async () => await sql`select 1`)
})

t.test('a silent connection that the pool has closed gives its place back', async t => {
  const way = await startWay(t)
  const sql = createSql(way.url, { max: 1, silence_timeout: SILENCE_S, idle_timeout: SILENCE_S / 2 })
  t.teardown(() => sql.end({ timeout: 0 }))
  await until(async () => await sql`select 1`)
  way.silence()
  await sleep(SILENCE_S * 1000)
  await withTimeout(sql`select 1`, PATIENCE_MS, () => { throw new Error('it has no connection') })
  t.equal(way.connections(), 2)
})

t.test('the idle connections of a pool are replaced with the first one that is silent', async t => {
  const way = await startWay(t)
  const sql = createSql(way.url, { max: 3, silence_timeout: SILENCE_S })
  t.teardown(() => sql.end({ timeout: 0 }))
  const three = async () => await Promise.all(Array.from({ length: 3 }, () => sql`select pg_sleep(0.1)`))
  await until(async () => {
    await three()
    return way.connections() === 3
  })
  way.silence()
  t.ok(isAway(await sql`select 1`.catch((err: unknown) => err)))
  await three()
})

t.test('the silence is longer than the timeout of a statement, and unlimited where that is', async t => {
  const { url } = await createDatabase(t)
  const silenceOf = (sql: RawSql) => (sql.options as unknown as { silence_timeout: number | null }).silence_timeout
  t.equal(silenceOf(open(t, url)), 15)
  t.equal(silenceOf(open(t, `${url}?statement_timeout=60000`)), 65)
  t.equal(silenceOf(open(t, `${url}?statement_timeout=0`)), null)
})

t.test('after an outage, however long, a pool connects again within a second', async t => {
  const sql = open(t, 'postgres://127.0.0.1:1/none')
  t.equal(sql.options.backoff, reconnectAfter)
  const pauses = [0, 1, 5, 50, 5000].map(reconnectAfter)
  t.ok(pauses.every(seconds => seconds >= 0.025 && seconds <= 1), pauses.join(' '))
  t.ok(pauses.slice(2).every(seconds => seconds >= 0.5), 'a pool that fails does not try without pause')
})

t.test('a transaction whose client does nothing more is ended by Postgres, and its locks are free', async t => {
  const { url } = await createDatabase(t)
  const [stuck, other] = [open(t, `${url}?idle_in_transaction_session_timeout=200`), open(t, url)]
  const failed = stuck.begin(async tx => {
    await tx`select pg_advisory_xact_lock(7)::text`
    await new Promise(() => {})
  }).catch((err: unknown) => err)
  t.ok(isAway(await failed), 'it fails as if its connection was lost')
  await until(async () => (await other`select pg_try_advisory_lock(7) as free`)[0]?.free)
  t.equal((await other`show idle_in_transaction_session_timeout`)[0]?.idle_in_transaction_session_timeout, '1min')
})
