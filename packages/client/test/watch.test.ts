import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { until } from '@tidings/testing'
import { frame, job, json, session, startFakeServer } from './fake-server.ts'

const head = { jobId: 'j', name: 'x', queue: 'default', userId: 1, timestamp: 1 }

t.test('after the end of a job nothing is asked for, and the connection is closed', async t => {
  const fake = await startFakeServer(t)
  let isClosed = false
  fake.onSocket = socket => {
    socket.on('close', () => { isClosed = true })
    socket.send(session())
    socket.send(frame('job:completed', { ...head, eventId: '2000-0', result: 1 }))
  }
  fake.onRequest = ({ url = '' }, response) =>
    json(response, url.includes('after=2000-0') ? job({ state: 'completed', result: 1, lastEventId: '2000-0' }) : job())
  const client = fake.client(['websocket', 'poll'])
  t.match(await client.jobs.wait('j'), { result: 1 })
  t.equal(client.status.state, 'idle')
  await until(() => isClosed)
  const { length } = fake.requests
  await sleep(1500) // longer than between two polls, or before a reconnect
  t.equal(fake.requests.length, length)
})

t.test('a watch that begins again shows how the job stands now, not how it stood', async t => {
  const fake = await startFakeServer(t)
  let progress = 1
  fake.onRequest = (request, response) => {
    const etag = `"${progress}"`
    if (request.headers['if-none-match'] === etag) response.writeHead(304).end()
    else json(response, job({ progress, lastEventId: `${60 + progress}-0` }), 200, { etag })
  }
  const client = fake.client(['poll'])
  for (; progress <= 3; progress++) {
    const watch = client.jobs.watch('j')
    t.match(await watch.next(), { value: { progress } })
    watch.close()
  }
})

t.test('values that are too large for an event are read over REST', async t => {
  const fake = await startFakeServer(t)
  const large = 'x'.repeat(200_000)
  let complete = () => {}
  fake.onSocket = socket => {
    socket.send(session())
    socket.send(frame('job:progress', { ...head, eventId: '1500-0', progress: null, progressTruncated: true }))
    complete = () => {
      socket.send(frame('job:completed', { ...head, eventId: '2000-0', result: null, resultTruncated: true }))
    }
  }
  fake.onRequest = ({ url = '' }, response) => {
    if (url.includes('after=2000-0')) json(response, job({ state: 'completed', result: large, lastEventId: '2000-0' }))
    else if (url.includes('after=1500-0')) json(response, job({ progress: large, lastEventId: '1500-0' }))
    else json(response, job())
  }
  const seen = []
  for await (const { progress, result } of fake.client(['websocket']).jobs.watch('j')) {
    seen.push(progress, result)
    if (progress === large) complete()
  }
  t.ok(seen.includes(large))
  t.equal(seen.at(-1), large)
  t.notOk(seen.includes(null))
})
