import t from 'tap'
import { until } from '@tidings/testing'
import type { Events } from '../src/index.ts'
import { frame, progress, session, startFakeServer, type FakeServer } from './fake-server.ts'

/** Milliseconds of silence after which the client acts; here a fiftieth of them. Other timers are as they are. */
const SILENCES = [10_000, 25_000, 40_000]
const FASTER = 50
const { setTimeout: inTime } = globalThis
globalThis.setTimeout = Object.assign(
  (act: () => void, ms = 0) => inTime(act, SILENCES.includes(ms) ? ms / FASTER : ms), inTime
) as typeof setTimeout
t.teardown(() => { globalThis.setTimeout = inTime })

/** A reader of events, and why its connections ended. */
function read (fake: FakeServer, channel: 'websocket' | 'sse'): { events: Events, reasons: string[] } {
  const reasons: string[] = []
  const onStatus = ({ reason }: { reason?: string }) => { if (reason) reasons.push(reason) }
  return { events: fake.client([channel]).events({ onStatus }), reasons }
}

t.test('a WebSocket that answers no probe is left, and its stream resumes', async t => {
  const fake = await startFakeServer(t)
  const { events, reasons } = read(fake, 'websocket')
  const isSilent = () => !reasons.some(reason => /no sign of life/.test(reason))
  let probes = 0
  fake.onSocket = (socket, url) => {
    socket.send(session('100-0', url.searchParams.has('lastEventId')))
    if (!isSilent()) return socket.send(progress(1))
    socket.on('message', () => { if (++probes === 1) socket.send(frame('ack', { id: 'probe', ok: true })) })
  }
  t.match(await events.next(), { value: { type: 'progress', progress: 1 } })
  t.ok(probes >= 2, 'a connection whose probe is answered is kept')
})

t.test('an event stream without even comments is left, and resumes', async t => {
  const fake = await startFakeServer(t)
  const { events, reasons } = read(fake, 'sse')
  fake.onRequest = ({ url = '' }, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const write = (text: string) => {
      const { event, data } = JSON.parse(text) as { event: string, data: object }
      response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
    }
    write(session('100-0', url.includes('lastEventId')))
    if (reasons.some(reason => /no sign of life/.test(reason))) write(progress(1))
  }
  t.match(await events.next(), { value: { type: 'progress', progress: 1 } })
})

t.test('a machine that has slept does not wait for a connection of before', async t => {
  const fake = await startFakeServer(t)
  const { events, reasons } = read(fake, 'websocket')
  const { now } = Date
  t.teardown(() => { Date.now = now })
  const hasSlept = () => reasons.includes('the machine slept')
  fake.onSocket = (socket, url) => {
    socket.send(session('100-0', url.searchParams.has('lastEventId')))
    if (hasSlept()) socket.send(progress(1))
    else socket.on('message', () => { socket.send(frame('ack', { id: 'probe', ok: true })) })
  }
  const next = events.next()
  await until(() => events.status.state === 'live')
  let hours = 0
  Date.now = () => now() + hours * 3_600_000
  const sleeping = setInterval(() => { if (!hasSlept()) hours++ }, 200)
  t.teardown(() => clearInterval(sleeping))
  t.match(await next, { value: { type: 'progress', progress: 1 } })
})
