import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { until } from '@tidings/testing'
import { MAX_WAITING } from '../src/events.ts'
import type { Gap, JobEvent } from '../src/index.ts'
import { frame, job, json, progress, session, startFakeServer } from './fake-server.ts'

const FINAL = { state: 'completed', result: { rows: 1 }, lastEventId: '2000-0' }

t.test('frames of wrong types and ids that go back are dropped', async t => {
  const fake = await startFakeServer(t)
  fake.onSocket = socket => {
    socket.send(session())
    const good = { eventId: '1000-0', jobId: 'j', name: 'x', queue: 'default', userId: 1, timestamp: 1 }
    const bad = [
      'no JSON', '[]', 'null', '5', frame('job:progress', null), frame(5, {}), frame('job:progress', []),
      frame('job:progress', { ...good, progress: 1, eventId: 'x' }),
      frame('job:progress', { ...good, progress: 1, eventId: 7 }),
      frame('job:progress', { ...good, progress: 1, eventId: '9999999999999999999-0' }), frame('job:progress', good),
      frame('job:progress', { ...good, progress: 1, jobId: {} }),
      frame('job:completed', { ...good, result: 1, queue: [] }),
      frame('job:failed', { ...good, error: {} }), frame('job:state', { ...good, state: 'flying' }),
      frame('__proto__', {}), frame('constructor', { ...good }), frame('session', {}), session('1-0'), frame('ack', {}),
      frame('auth:expiring', {}), frame('session:end', { reason: {} })
    ]
    for (const text of bad) socket.send(text)
    for (const [n, eventId] of [[1, '1001-0'], [2, '1001-0'], [3, '999-0'], [4, '1001-1'], [5, '10001-0']] as const) {
      socket.send(progress(n, eventId))
    }
  }
  const read = []
  for await (const event of fake.client(['websocket']).events()) {
    read.push(event)
    if (event.type === 'progress' && event.progress === 5) break
  }
  t.same(read.map(event => (event as { progress: unknown }).progress), [1, 4, 5])
})

for (const channel of ['websocket', 'sse'] as const) {
  t.test(`events without end over ${channel} take no memory while nobody reads, and none is lost`, async t => {
    const fake = await startFakeServer(t)
    const TOTAL = 5000
    let connections = 0
    const sendFrom = (since: string | null, send: (event: string, data: string, id: string) => void) => {
      connections++
      const [ms = '0'] = (since ?? '').split('-')
      const first = since === null ? 1 : Math.max(1, Number(ms) - 1000 + 1)
      send('session', JSON.stringify({ recovered: since !== null, lastEventId: since ?? '100-0' }), '')
      for (let n = first; n <= TOTAL; n++) {
        const { event, data } = JSON.parse(progress(n)) as { event: string, data: object }
        send(event, JSON.stringify(data), `${1000 + n}-0`)
      }
    }
    fake.onSocket = (socket, url) => sendFrom(url.searchParams.get('lastEventId'), (event, data) =>
      socket.send(`{"event":"${event}","data":${data}}`))
    fake.onRequest = ({ url = '' }, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      sendFrom(new URL(url, fake.url).searchParams.get('lastEventId'), (event, data, id) =>
        response.write(`${id && `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`))
    }
    const events = fake.client([channel]).events()
    await events.ready()
    await until(() => events.status.state === 'recovering')
    await sleep(300)
    t.match(events.status.reason, /paused/)
    t.equal(connections, 1, 'it does not come back before something is read')
    const read: (JobEvent | Gap)[] = []
    for await (const event of events) {
      read.push(event)
      if (read.length === TOTAL) break
    }
    const expected = Array.from({ length: TOTAL }, (_, i) => i + 1)
    t.same(read.map(event => event.type === 'progress' && event.progress), expected)
    t.ok(connections <= 2 + TOTAL / (MAX_WAITING / 2), `${connections} connections`)
  })
}

t.test('large events are bounded by their size', async t => {
  const fake = await startFakeServer(t)
  let sent = 0
  fake.onSocket = socket => {
    socket.send(session())
    const large = 'x'.repeat(500_000)
    const send = () => {
      if (socket.readyState !== socket.OPEN) return
      sent++
      const head = { eventId: `${1000 + sent}-0`, jobId: 'j', name: 'x', queue: 'q', userId: 1, timestamp: 1 }
      socket.send(frame('job:progress', { ...head, progress: large }), () => setImmediate(send))
    }
    send()
  }
  const events = fake.client(['websocket']).events()
  await events.ready()
  await until(() => /paused/.test(events.status.reason ?? ''))
  t.ok(sent < 60, `${sent} events of 500 KB`)
})

t.test('a block of an event stream without an end, and a frame beyond the bound, end the connection', async t => {
  const fake = await startFakeServer(t)
  let written = 0
  fake.onRequest = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const timer = setInterval(() => {
      written += 100_000
      response.write(`data: ${'x'.repeat(50_000)}\n${'y'.repeat(49_000)}`)
    }, 2)
    response.on('close', () => clearInterval(timer))
  }
  const overSse = fake.client(['sse']).events()
  overSse.next().catch(() => {})
  await until(() => /too long/.test(overSse.status.reason ?? ''))
  t.ok(written < 4_000_000, `${written} bytes`)

  fake.onSocket = socket => socket.send('x'.repeat(2_000_000))
  const overWebSocket = fake.client(['websocket']).events()
  overWebSocket.next().catch(() => {})
  await until(() => /not a frame/.test(overWebSocket.status.reason ?? ''))
})

t.test('a response without an end is given up', async t => {
  const fake = await startFakeServer(t)
  fake.onRequest = (_request, response) => {
    const write = () => { while (response.write(' '.repeat(1_000_000)) && !response.destroyed); }
    response.writeHead(200, { 'content-type': 'application/json' }).on('drain', write)
    write()
  }
  await t.rejects(fake.client().jobs.counts(), { code: 'unexpected_response' })
})

t.test('connections that end at once are not tried in a hot loop', async t => {
  const fake = await startFakeServer(t)
  fake.onSocket = socket => {
    socket.send(session('100-0', true))
    socket.close(1012, 'draining')
  }
  const events = fake.client(['websocket']).events()
  events.next().catch(() => {})
  await sleep(3000)
  t.ok(fake.requests.length <= 6, `${fake.requests.length} connections in 3 s`)
})

t.test('a token that every session refuses is renewed a few times, then it is over', async t => {
  const fake = await startFakeServer(t)
  fake.onSocket = socket => {
    socket.send(session())
    socket.send(frame('session:end', { reason: 'expired', reconnect: false }))
    socket.close(4401, 'expired')
  }
  let calls = 0
  const events = fake.client(['websocket'], { token: () => `token${++calls}` }).events()
  const readAll = async () => {
    for await (const event of events) t.equal(event.type, 'gap')
  }
  await t.rejects(readAll(), { code: 'unauthorized' })
  t.ok(calls <= 4, `${calls} tokens`)
  t.match(events.status, { state: 'closed' })
})

t.test('a renewed token that came too late for its session was not refused', async t => {
  const fake = await startFakeServer(t)
  const used: unknown[] = []
  fake.onSocket = (socket, url) => {
    used.push(socket.protocol)
    socket.send(session(url.searchParams.get('lastEventId') ?? undefined, url.searchParams.has('lastEventId')))
    if (used.length > 1) return socket.send(progress(1))
    socket.send(frame('auth:expiring', {}))
    socket.on('message', () => {
      socket.send(frame('session:end', { reason: 'expired', reconnect: false }))
      socket.close(4401, 'expired')
    })
  }
  const reasons: string[] = []
  const token = ({ reason }: { reason: string }) => {
    reasons.push(reason)
    return reason === 'start' ? 'first' : 'second'
  }
  const { value } = await fake.client(['websocket'], { token }).events().next()
  t.match(value, { type: 'progress', progress: 1 })
  t.same(reasons, ['start', 'expiring'])
})

t.test('a renewal that is under way when the connection is lost stays the only one', async t => {
  const fake = await startFakeServer(t)
  const sockets: { terminate: () => void }[] = []
  const refreshed: unknown[] = []
  fake.onSocket = socket => {
    sockets.push(socket)
    socket.send(session('100-0', sockets.length > 1))
    socket.send(frame('auth:expiring', {}))
    socket.on('message', (text: Buffer) => {
      const { event, data, id } = JSON.parse(text.toString()) as { event: string, data: string, id: string }
      if (event === 'auth:refresh') refreshed.push(data)
      socket.send(frame('ack', { id, ok: true }))
    })
  }
  const reasons: string[] = []
  let release = () => {}
  const released = new Promise<void>(resolve => { release = resolve })
  const token = async ({ reason }: { reason: string }) => {
    reasons.push(reason)
    if (reason === 'start') return 'first'
    await released
    return 'second'
  }
  const events = fake.client(['websocket'], { token }).events()
  events.next().catch(() => {})
  await until(() => reasons.length === 2)
  sockets[0]?.terminate()
  await until(() => sockets.length === 2 && events.status.state === 'live')
  release()
  await until(() => refreshed.length > 0)
  await sleep(300)
  t.same(refreshed, ['second'])
  t.same(reasons, ['start', 'expiring'])
})

t.test('a session that the server ends comes back with a token that cannot be renewed', async t => {
  const fake = await startFakeServer(t)
  fake.onSocket = socket => {
    const isFirst = fake.requests.length === 1
    socket.send(session('100-0', !isFirst))
    if (!isFirst) return socket.send(progress(1))
    socket.send(frame('session:end', { reason: 'resync', reconnect: true }))
    socket.close(4409, 'resync')
  }
  t.match(await fake.client(['websocket']).events().next(), { value: { type: 'progress', progress: 1 } })
  t.equal(fake.requests.length, 2)
})

t.test('events without end that nobody asked for do not grow a watch', async t => {
  const fake = await startFakeServer(t)
  fake.onRequest = (_request, response) => json(response, job())
  let sent = 0
  fake.onSocket = socket => {
    socket.send(session())
    const send = () => {
      for (let n = 0; n < 500; n++) socket.send(progress(++sent, `${1000 + sent}-0`, n === 0 ? 'j' : `other ${sent}`))
      if (sent < 100_000 && socket.readyState === socket.OPEN) setImmediate(send)
    }
    send()
  }
  const before = process.memoryUsage().heapUsed
  for await (const { progress } of fake.client(['websocket']).jobs.watch('j')) if (progress === 99_501) break
  const grown = process.memoryUsage().heapUsed - before
  t.ok(grown < 64 * 1024 * 1024, `${grown} bytes after ${sent} events`)
})

t.test('an end that an event claims and REST denies is no end', async t => {
  const fake = await startFakeServer(t)
  let state: object = {}
  fake.onRequest = (_request, response) => json(response, job(state))
  fake.onSocket = socket => {
    socket.send(session())
    const head = { jobId: 'j', name: 'x', queue: 'default', userId: 1, timestamp: 1 }
    socket.send(frame('job:completed', { ...head, eventId: '2000-0', result: 'forged' }))
    setTimeout(() => socket.terminate(), 100)
  }
  const done = fake.client(['websocket']).jobs.wait('j')
  let isOver = false
  done.finally(() => { isOver = true })
  await sleep(1500)
  t.notOk(isOver, 'neither an event nor a broken stream ends it')
  state = FINAL
  t.match(await done, { result: { rows: 1 } })
})

t.test('polls that are answered at once are paced, and snapshots that go back are dropped', async t => {
  const fake = await startFakeServer(t)
  let n = 0
  const [first, stale, next] = [[1, '60-0'], [0, '40-0'], [2, '70-0']]
    .map(([progress, lastEventId]) => ({ progress, lastEventId }))
  const states = [first, stale, next, FINAL]
  fake.onRequest = (_request, response) => json(response, job(states[Math.min(n++, 3)]))
  const seen = []
  const began = Date.now()
  for await (const { progress } of fake.client(['poll']).jobs.watch('j')) seen.push(progress)
  t.same(seen, [1, 2, 0])
  t.ok(Date.now() - began > 1500, 'a second between two polls')
})

t.test('after a `break` the cursor is that of the last event that was read', async t => {
  const fake = await startFakeServer(t)
  fake.onSocket = socket => {
    socket.send(session())
    for (let n = 1; n <= 20; n++) socket.send(progress(n))
  }
  const events = fake.client(['websocket']).events()
  await events.ready()
  t.equal(events.cursor, '100-0')
  for await (const event of events) {
    if (event.type === 'progress' && event.progress === 5) break
  }
  t.equal(events.cursor, '1005-0')
})

t.test('`after` leaves out what a job was before a retry', async t => {
  const fake = await startFakeServer(t)
  const failed = { state: 'failed', failedReason: 'first', lastEventId: '60-0' }
  const states = [failed, failed, { lastEventId: '70-0' }, FINAL]
  let n = 0
  fake.onRequest = (_request, response) => json(response, job(states[Math.min(n++, 3)]))
  const seen = []
  for await (const { state } of fake.client(['poll']).jobs.watch('j', { after: '60-0' })) seen.push(state)
  t.same(seen, ['active', 'completed'])
})

t.test('a job that is no job is an error', async t => {
  const fake = await startFakeServer(t)
  for (const body of [null, [], 'text', {}, { ...job(), state: 5 }, { ...job(), lastEventId: 'x' }]) {
    fake.onRequest = (_request, response) => json(response, body)
    await t.rejects(fake.client().jobs.wait('j'), { code: 'unexpected_response' })
  }
  fake.onRequest = (_request, response) => json(response, { jobs: [{}], pagination: { next: 'same' } })
  const listAll = async () => {
    for await (const one of fake.client().jobs.list()) t.ok(one)
  }
  await t.rejects(listAll(), { code: 'unexpected_response' })
})
