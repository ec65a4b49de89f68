import t from 'tap'
import { createStreamWriter, formatEventId, parseEventId, ZERO, type EventId } from '@tidings/job-events'
import { tokenOf, until } from '@tidings/testing'
import { EventCursor } from '../../src/session/event-cursor.ts'
import { createHistory, type History } from '../../src/session/history.ts'
import { resume } from '../../src/session/resume.ts'
import type { Session } from '../../src/session/session.ts'
import { startGateway, startSurroundings } from '../setup/gateway.ts'
import { connect } from '../setup/transports.ts'

const job = { userId: '1', jobId: 'a' }

t.test('a client from before Redis lost data keeps its position, unless that was never given out', async t => {
  const surroundings = await startSurroundings(t)
  const { url } = await startGateway(t, surroundings)
  const { jobs, redis } = surroundings
  const [first] = await jobs.publish({ ...job, progress: 1 })
  const { ms } = parseEventId(first as string) as EventId
  const now = async () => Number((await redis.client().time())[0]) * 1000
  await until(async () => await now() > ms + 10)
  const positionOf = async (id: EventId) => {
    const client = await connect.sse(t, url, { token: tokenOf(1), lastEventId: formatEventId(id) })
    const { recovered, lastEventId } = client.of('session')[0] as { recovered: boolean, lastEventId: string }
    return { client, recovered, lastEventId }
  }
  const ahead = { ms: ms + 10, seq: 3 }
  const kept = await positionOf(ahead)
  t.match(kept, { recovered: false, lastEventId: formatEventId(ahead) })
  const future = await positionOf({ ms: ms + 3_600_000, seq: 0 })
  t.match(future, { recovered: false, lastEventId: first as string })
  const [next] = await jobs.publish({ ...job, progress: 2 })
  for (const { client } of [kept, future]) t.match(await client.waitFor('job:progress'), [{ eventId: next }])
})

t.test('an attempt after one that failed half-way delivers nothing twice', async t => {
  const { jobs, redis } = await startSurroundings(t)
  const stream = createStreamWriter(redis.client())
  const tail = { position: ZERO, identify: () => {} }
  const end = { ...job, type: 'completed', result: 'done' } as const
  await jobs.publish({ ...job, progress: 1 })
  const since = await stream.last() as EventId
  await jobs.publish(end)
  tail.position = await stream.last() as EventId
  const received: string[] = []
  const cursor: EventCursor = new EventCursor({ tail, bufferLimits: { events: 9, bytes: 99_999 } }, message => {
    if (!cursor.hasDelivered(message)) received.push(message.owner.event)
  })
  const session = { userId: '1', sendBuffer: { isFull: false }, hasEnded: false } as unknown as Session
  const history = createHistory({ redis: redis.client(), ttlMs: 60_000 })
  const failing: History = {
    ...history,
    replay: async (range, onPage) => {
      await history.replay(range, onPage)
      throw new Error('Redis is away')
    }
  }
  await t.rejects(resume(session, cursor, { history: failing, since }), { message: 'Redis is away' })
  await jobs.publish({ ...end, reconciled: true }, { ...job, jobId: 'b', progress: 2 })
  tail.position = await stream.last() as EventId
  cursor.startBuffering()
  t.equal(await resume(session, cursor, { history, since: cursor.position }), true)
  t.same(received, ['job:completed', 'job:progress'])
})
