import t from 'tap'
import { setTimeout as sleep } from 'node:timers/promises'
import { tokenOf, until } from '@tidings/testing'
import { TRANSPORT_KINDS } from '../src/session/transport.ts'
import { connect } from './setup/transports.ts'
import type { Client } from './setup/client.ts'
import { startGateway, startReplica, startSurroundings } from './setup/gateway.ts'

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

t.test('quotas, revocations and tickets hold over all replicas', async t => {
  const surroundings = await startSurroundings(t)
  const [one, two] = await Promise.all([
    startGateway(t, surroundings, { REALTIME_MAX_SESSIONS: '6', REALTIME_INTERNAL_PORT: '0' }),
    startGateway(t, surroundings, { REALTIME_MAX_SESSIONS: '6' })
  ])

  t.test('the sessions of a user are counted together', async t => {
    const token = tokenOf('quota')
    const clients = await Promise.all(
      upTo(6).map(i => connect[TRANSPORT_KINDS[i % 3] ?? 'sse'](t, i % 2 ? one.url : two.url, { token }))
    )
    for (const { url } of [one, two]) await t.rejects(connect.websocket(t, url, { token }), { code: '429' })
    clients[0]?.close()
    await until(() => connect.websocket(t, one.url, { token }))
    await t.rejects(connect['socket.io'](t, two.url, { token }), { code: 'too_many_sessions' })
  })

  t.test('a revocation ends the sessions of all replicas', async t => {
    const token = tokenOf('revoked')
    const clients = await Promise.all(
      TRANSPORT_KINDS.flatMap(kind => [one, two].map(({ url }) => connect[kind](t, url, { token })))
    )
    await fetch(`${one.internalUrl}/revocations`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ userId: 'revoked' })
    })
    for (const client of clients) t.match(await client.waitForEnd(), { reason: 'revoked' })
    for (const { url } of [one, two]) await t.rejects(connect.websocket(t, url, { token }), { code: '401' })
  })

  t.test('a replica that missed the message reads the revocation in its sweep', async t => {
    const client = await connect.websocket(t, two.url, { token: tokenOf('missed') })
    await one.app.revocations.revoke('missed')
    await two.app.revocations.sweep()
    t.match(await client.waitForEnd(), { reason: 'revoked' })
  })

  t.test('a ticket of one replica opens a stream at another', async t => {
    const issued = await fetch(
      `${one.url}/auth/ticket`, { method: 'POST', headers: { authorization: `Bearer ${tokenOf('ticket')}` } }
    )
    const { ticket } = await issued.json() as { ticket: string }
    const abort = new AbortController()
    t.equal((await fetch(`${two.url}/events?ticket=${ticket}`, { signal: abort.signal })).status, 200)
    abort.abort()
    t.equal((await fetch(`${one.url}/events?ticket=${ticket}`)).status, 401)
  })
})

t.test('clients of a replica that is stopped under load are on others within 30 s, and miss nothing', async t => {
  const surroundings = await startSurroundings(t)
  const { jobs } = surroundings
  const leaving = await startReplica(t, surroundings, { REALTIME_DRAIN_MS: '3000' })
  const staying = await Promise.all([startGateway(t, surroundings), startGateway(t, surroundings)])
  const users = upTo(30).map(i => ({ userId: `drain-${i}`, jobId: `drain-${i}` }))
  const places = users.flatMap(({ userId }) => TRANSPORT_KINDS.map(kind => ({ kind, userId })))
  const clients = await Promise.all(
    places.map(async ({ kind, userId }) => await connect[kind](t, leaving.url, { token: tokenOf(userId) }))
  )

  let published = 0
  const moved = new AbortController()
  const load = (async () => {
    for (; !moved.signal.aborted; await sleep(20)) {
      await jobs.publish(...users.map(user => ({ ...user, progress: published })))
      published++
    }
  })()
  await until(() => clients.every(({ received }) => received.length > 5))
  const since = Date.now()
  const ended = leaving.process.kill('SIGTERM')
  const again = await Promise.all(clients.map(async (client, i) => {
    const { kind, userId } = places[i] as typeof places[number]
    const end = await client.waitForEnd()
    const { url } = staying[i % 2] as typeof staying[number]
    const next = await connect[kind](t, url, { token: tokenOf(userId), lastEventId: client.lastEventId })
    return { end, next, at: Date.now() }
  }))
  const took = again.map(({ at }) => at - since)
  t.comment(`${clients.length} clients were on others after ${Math.min(...took)} to ${Math.max(...took)} ms`)
  t.ok(Math.max(...took) < 30_000)
  t.match(await ended, { code: 0 })
  moved.abort()
  await load

  const lost = { unannounced: 0, unrecovered: 0, missed: 0 }
  for (const [i, { end, next }] of again.entries()) {
    const before = clients[i] as Client
    const seen = () => [before, next].flatMap(each => each.of('job:progress').map(({ progress }) => progress))
    await until(() => seen().at(-1) === published - 1)
    if (end?.reason !== 'draining' || end.reconnect !== true || before.of('server:draining').length !== 1) {
      lost.unannounced++
    }
    if (next.of('session')[0]?.recovered !== true) lost.unrecovered++
    if (seen().join() !== upTo(published).join()) lost.missed++
  }
  t.same(lost, { unannounced: 0, unrecovered: 0, missed: 0 })
})

t.test('a gateway keeps its sessions while Redis is away, and catches up', async t => {
  const surroundings = await startSurroundings(t)
  const { redis, jobs } = surroundings
  const { app, url } = await startGateway(t, surroundings)
  const clients = await Promise.all(TRANSPORT_KINDS.map(kind => connect[kind](t, url, { token: tokenOf('hiccup') })))
  const job = { userId: 'hiccup', jobId: 'hiccup' }
  await jobs.publish({ ...job, progress: 0 })

  redis.pause()
  const late = jobs.publish({ ...job, progress: 1 })
  await sleep(1000)
  redis.resume()
  await late
  for (const client of clients) {
    await client.waitFor('job:progress', 2)
    t.same(client.of('job:progress').map(({ progress }) => progress), [0, 1])
  }

  await redis.stop()
  await until(async () => (await app.inject('/readyz')).json().status === 'degraded')
  t.equal((await app.inject('/readyz')).statusCode, 200, 'Redis is away for all replicas, so none is taken out')
  t.notOk(clients.some(({ gone }) => gone))
  await redis.restart()
  await until(() => jobs.publish({ ...job, progress: 2 }))
  for (const client of clients) await client.waitFor('job:progress', 3)
})

t.test('a gateway starts without Redis, and admits clients once it is there', async t => {
  const surroundings = await startSurroundings(t)
  const { redis, jobs } = surroundings
  await redis.stop()
  const { url } = await startReplica(t, surroundings)
  t.match(await (await fetch(`${url}/readyz`)).json(), { status: 'degraded' })
  for (const kind of TRANSPORT_KINDS) {
    await t.rejects(connect[kind](t, url, { token: tokenOf(1) }), { code: /connection|503/ })
  }

  await redis.restart()
  for (const kind of TRANSPORT_KINDS) {
    const client = await until(() => connect[kind](t, url, { token: tokenOf(1) }))
    await until(() => jobs.publish({ userId: '1', jobId: kind, progress: kind }))
    await client.waitFor('job:progress')
  }
})
