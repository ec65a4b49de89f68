import t from 'tap'
import { JOB_EVENTS_KEY, JOB_EVENT_VERSION } from '@tidings/contracts'
import { tokenOf, until } from '@tidings/testing'
import { connect } from '../setup/transports.ts'
import { startGateway, startSurroundings } from '../setup/gateway.ts'

const job = { userId: '1', jobId: 'a' }

t.test('an entry that is not a job event is skipped, and the next event is delivered', async t => {
  const surroundings = await startSurroundings(t)
  const { url } = await startGateway(t, surroundings)
  const client = await connect.websocket(t, url, { token: tokenOf(1) })
  await surroundings.redis.client().xadd(JOB_EVENTS_KEY, '*', 'u', '1', 'd', '{"nonsense"')
  await surroundings.jobs.publish({ ...job, progress: 1 })
  await client.waitFor('job:progress')
  const metrics = await (await fetch(`${url}/metrics`)).text()
  t.match(metrics, /tidings_realtime_malformed_events_total 1/)
})

t.test('an event of a higher version stops the tail, and the gateway is not ready', async t => {
  const surroundings = await startSurroundings(t)
  const { app, url } = await startGateway(t, surroundings)
  const client = await connect.websocket(t, url, { token: tokenOf(1) })
  const event = JSON.stringify(
    { ...job, v: JOB_EVENT_VERSION + 1, type: 'progress', queue: 'default', name: 'x', timestamp: 1 }
  )
  const redis = surroundings.redis.client()
  const newer = await redis.xadd(JOB_EVENTS_KEY, '*', 'u', '1', 'd', event) as string
  await until(async () => (await app.inject('/readyz')).statusCode === 503)
  await t.rejects(connect.websocket(t, url, { token: tokenOf(1) }), { code: '503' })
  t.same(client.of('job:progress'), [])

  await redis.xdel(JOB_EVENTS_KEY, newer)
  await surroundings.jobs.publish({ ...job, progress: 1 })
  await client.waitFor('job:progress')
  await until(
    async () => (await app.inject('/readyz')).statusCode === 200,
    { what: 'the gateway to be ready again, without a restart' }
  )
})

t.test('when Redis has lost its data, sessions end to resume, and learn that events may be missing', async t => {
  const surroundings = await startSurroundings(t)
  const { url } = await startGateway(t, surroundings)
  const { redis, jobs } = surroundings
  const client = await connect['socket.io'](t, url, { token: tokenOf(1) })
  await jobs.publish({ ...job, progress: 1 })
  await client.waitFor('job:progress')
  await redis.client().flushall()
  await jobs.publish({ ...job, progress: 2 })
  t.same(await client.waitForEnd(), { reason: 'resync', reconnect: true })
  const again = await connect['socket.io'](t, url, { token: tokenOf(1), lastEventId: client.lastEventId })
  t.match(again.of('session'), [{ recovered: false }])
  await jobs.publish({ ...job, progress: 3 })
  await until(() => again.of('job:progress').some(({ progress }) => progress === 3))
})

t.test('metrics count sessions by transport, deliveries, resumes and the lag', async t => {
  const surroundings = await startSurroundings(t)
  const { url } = await startGateway(t, surroundings)
  const clients = [
    await connect['socket.io'](t, url, { token: tokenOf(1) }), await connect.sse(t, url, { token: tokenOf(1) })
  ]
  await surroundings.jobs.publish({ ...job, progress: 1 })
  for (const client of clients) await client.waitFor('job:progress')
  clients[1]?.close()
  await until(
    async () => (await (await fetch(`${url}/metrics`)).text()).includes('tidings_realtime_sessions{transport="sse"} 0')
  )
  const metrics = await (await fetch(`${url}/metrics`)).text()
  t.match(metrics, /tidings_realtime_sessions\{transport="socket.io"\} 1/)
  t.match(metrics, /tidings_realtime_deliveries_total\{transport="sse"\} 1/)
  t.match(metrics, /tidings_realtime_resumes_total\{outcome="new"\} 2/)
  t.match(metrics, /tidings_realtime_session_ends_total\{transport="sse",reason="left"\} 1/)
  t.match(metrics, /tidings_realtime_delivery_lag_seconds_count 1/)
  t.match(metrics, /tidings_realtime_tail_lag_seconds \d/)
})

t.test('an end that is published again for the rows reaches only sessions that started after the first', async t => {
  const surroundings = await startSurroundings(t)
  const { url } = await startGateway(t, surroundings)
  const { jobs } = surroundings
  const end = { ...job, type: 'completed', result: 'done' } as const
  await jobs.publish({ ...job, progress: 1 })
  const early = await connect.websocket(t, url, { token: tokenOf(1) })
  await early.command('subscribe:job', 'a')
  const [first] = await jobs.publish(end)
  await early.waitFor('job:completed')
  const late = await connect.websocket(t, url, { token: tokenOf(1) })
  await late.waitFor('session')
  await jobs.publish({ ...end, reconciled: true }, { ...job, jobId: 'b', progress: 2 })
  for (const client of [early, late]) await until(() => client.of('job:progress').some(({ jobId }) => jobId === 'b'))
  t.same(early.of('job:completed').map(({ eventId }) => eventId), [first])
  t.equal(early.of('job:a:completed').length, 1)
  t.equal(late.of('job:completed').length, 1)

  const resumed = await connect.websocket(
    t, url, { token: tokenOf(1), lastEventId: early.of('session')[0]?.lastEventId as string }
  )
  await until(() => resumed.of('job:progress').some(({ jobId }) => jobId === 'b'))
  t.same(resumed.of('job:completed').map(({ eventId }) => eventId), [first], 'also from a history')
})
