import t from 'tap'
import type { WebSocket } from 'ws'
import { until } from '@tidings/testing'
import type { BulkProgress, Gap, JobEvent } from '../src/index.ts'
import { job, json, progress, session, startFakeServer } from './fake-server.ts'

t.test('listeners to all events and watches share a connection, which ends with the last of them', async t => {
  const fake = await startFakeServer(t)
  const sockets: WebSocket[] = []
  fake.onSocket = socket => {
    sockets.push(socket)
    socket.send(sockets.length === 1 ? session('100-0') : session('5000-0'))
  }
  fake.onRequest = (_request, response) => json(response, job())
  const client = fake.client(['websocket', 'poll'])
  const received: (JobEvent | Gap)[] = []
  const remove = client.onEvent(event => received.push(event))
  await until(() => client.status.state === 'live')
  const watch = client.jobs.watch('j')
  t.match(await watch.next(), { value: { state: 'active' } })
  sockets[0]?.send(progress(1))
  sockets[0]?.send(progress(2, '1002-0', 'other'))
  await until(() => received.length === 2)
  t.match(received, [{ type: 'progress', jobId: 'j', progress: 1 }, { type: 'progress', jobId: 'other', progress: 2 }])
  t.equal(sockets.length, 1)

  sockets[0]?.close(1012)
  await until(() => received.length === 3)
  t.same(received[2], { type: 'gap', from: '1002-0', to: '5000-0' })
  t.equal(client.status.state, 'live')

  remove()
  t.equal(client.status.state, 'live', 'the watch needs it')
  sockets[1]?.send(progress(3, '5001-0'))
  await until(async () => (await watch.next()).value?.progress === 3)
  t.equal(received.length, 3, 'a listener that was removed gets nothing')
  watch.close()
  t.equal(client.status.state, 'idle')
})

t.test('a client that is closed ends the connection of its listeners, and takes no more', async t => {
  const fake = await startFakeServer(t)
  let isClosed = false
  fake.onSocket = socket => {
    socket.on('close', () => { isClosed = true })
    socket.send(session())
  }
  const client = fake.client(['websocket'])
  client.onEvent(() => {})
  await until(() => client.status.state === 'live')
  client.close()
  t.equal(client.status.state, 'idle')
  await until(() => isClosed)
  t.throws(() => client.onEvent(() => {}), { code: 'closed' })
})

t.test('a stream that is left before it has a token opens no connection', async t => {
  const fake = await startFakeServer(t)
  fake.onRequest = (_request, response) => json(response, {})
  let connections = 0
  class CountedSocket extends globalThis.WebSocket {
    constructor (url: string, protocols: string[]) {
      super(url, protocols)
      connections++
    }
  }
  const client = fake.client(['websocket'], { WebSocket: CountedSocket as never })
  for (const token of ['none yet', 'known']) {
    const events = client.events()
    const ready = events.ready()
    events.close()
    await t.rejects(ready, { code: 'closed' })
    client.onEvent(() => {})()
    await client.jobs.counts()
    t.equal(connections, 0, token)
  }
  t.equal(client.status.state, 'idle')
})

t.test('a listener whose token is refused is removed, and a later one connects again', async t => {
  const fake = await startFakeServer(t)
  fake.onRequest = (_request, response) => json(response, { status: 401 }, 401)
  const client = fake.client(['sse'])
  const states: string[] = []
  client.onStatus(({ state }) => states.push(state))
  client.onEvent(() => {})
  await until(() => states.includes('closed') && client.status.state === 'idle')
  const before = fake.requests.length
  client.onEvent(() => {})
  await until(() => fake.requests.length > before)
})

t.test('the progress of bulk actions comes beside the events, and what is malformed does not', async t => {
  const fake = await startFakeServer(t)
  const bulk = {
    bulkId: 'jobs-1', action: 'retry', state: 'running', matched: 9, done: 4, failed: 0, skipped: 0
  } as const
  fake.onSocket = socket => {
    socket.send(session('100-0'))
    for (const data of [{ ...bulk, bulkId: 7 }, bulk]) socket.send(JSON.stringify({ event: 'bulk:progress', data }))
    socket.send(progress(1))
  }
  const bulks: BulkProgress[] = []
  const events = fake.client(['websocket']).events({ onBulk: progress => bulks.push(progress) })
  t.match(await events.next(), { value: { type: 'progress', progress: 1 } })
  t.same(bulks, [bulk])
  events.close()
})
