import t from 'tap'
import {
  finalityKey, JOB_EVENTS_KEY, JOB_EVENT_VERSION, jsonText, userHistoryKey, type JobEvent
} from '@tidings/contracts'
import { createStreamWriter, formatEventId, UNKNOWN_ID, ZERO, type EventId } from '@tidings/job-events'
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

for (const isLate of [false, true]) {
  const name = `an end that Redis lost before the gateway read it reaches who lacks it, once${isLate ? ', late' : ''}`
  t.test(name, async t => {
    const surroundings = await startSurroundings(t)
    const { url } = await startGateway(t, surroundings)
    const { jobs, redis } = surroundings
    const stream = createStreamWriter(redis.client())
    await jobs.publish({ ...job, progress: 1 })
    const early = await connect.websocket(t, url, { token: tokenOf(1) })
    await early.command('subscribe:job', 'a')
    const before = early.of('session')[0]?.lastEventId as string
    const { ms } = await stream.last() as EventId
    const firstIds = [{ ms: ms + 1000, seq: 1 }, { ms: ms + 1000, seq: 0 }]
    const lost = firstIds.map(({ seq }): JobEvent => ({
      ...job,
      v: JOB_EVENT_VERSION,
      type: 'completed',
      queue: 'default',
      jobId: `${job.jobId}${seq || ''}`,
      name: 'work',
      timestamp: ms,
      result: jsonText('done'),
      reconciled: true
    }))
    if (isLate) { // of another queue
      await stream.open({ ms: ms + 2000, seq: 0 })
      await jobs.publish({ ...job, jobId: 'n', progress: 1 })
    }
    for (const events of [[...lost, ...lost], lost]) {
      const from = await stream.position('default')
      t.match(await stream.append({
        queue: 'default',
        from,
        to: from,
        events,
        minimumId: firstIds[0] as EventId,
        repeated: event => ({ id: firstIds[event.jobId === job.jobId ? 1 : 0] as EventId, at: ms })
      }), { moved: true })
    }
    await jobs.publish({ ...job, jobId: 'b', progress: 2 })
    const ended = async (client: typeof early) => {
      await until(() => client.of('job:progress').some(({ jobId }) => jobId === 'b'))
      return client.of('job:completed').map(({ jobId }) => jobId).toSorted(undefined)
    }
    t.same(await ended(early), ['a', 'a1'])
    t.equal(early.of('job:a:completed').length, 1)
    const resumed = async (lastEventId: string) => await connect.websocket(t, url, { token: tokenOf(1), lastEventId })
    t.same(await ended(await resumed(before)), ['a', 'a1'], 'from a history that has lost it too')
    t.same(await ended(await resumed(formatEventId(firstIds[1] as EventId))), ['a1'], 'not who has it from before')
  })
}

t.test('an end that may have been published before reaches who lacks it, once', async t => {
  const surroundings = await startSurroundings(t)
  const { url } = await startGateway(t, surroundings)
  const { jobs, redis } = surroundings
  const client = redis.client()
  const stream = createStreamWriter(client)
  const end = { ...job, type: 'completed', result: 'done', timestamp: 5 } as const
  await jobs.publish({ ...job, progress: 1 })
  const early = await connect.websocket(t, url, { token: tokenOf(1) })
  const before = early.of('session')[0]?.lastEventId as string
  const [first] = await jobs.publish(end)
  await early.waitFor('job:completed')
  // What Redis loses, and the relay had no reply for.
  await client.del(finalityKey('default', 'a'))
  await client.xdel(userHistoryKey('1'), first as string)
  const again = ['a', 'x'].map((jobId): JobEvent => ({
    ...end, v: JOB_EVENT_VERSION, queue: 'default', jobId, name: 'work', result: jsonText('done'), reconciled: true
  }))
  const repeated = ({ timestamp: at }: JobEvent) => ({ id: UNKNOWN_ID, at }) as const
  for (const events of [again, again]) {
    const from = await stream.position('default')
    await stream.append({ queue: 'default', from, to: from, events, minimumId: ZERO, repeated })
    await client.del(finalityKey('default', 'a'), finalityKey('default', 'x'))
  }
  await jobs.publish({ ...job, jobId: 'b', progress: 2 })
  const ended = async (of: typeof early) => {
    await until(() => of.of('job:progress').some(({ jobId }) => jobId === 'b'))
    return of.of('job:completed').map(({ jobId }) => jobId)
  }
  t.same(await ended(early), ['a', 'x'])
  const resumed = async (lastEventId: string) => await connect.websocket(t, url, { token: tokenOf(1), lastEventId })
  t.same(await ended(await resumed(before)), ['a', 'x'], 'from a history that has lost the first')
  t.same(await ended(await resumed(first as string)), ['x'])
})
