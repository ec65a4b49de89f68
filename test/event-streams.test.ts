import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import WebSocket from 'ws'
import type { SubmittedJob } from '@tidings/contracts'
import { until } from '@tidings/testing'
import { addressesOf, type Address } from './addresses.ts'
import { restClient, socketClient } from './client.ts'
import { startTestSystem } from './system.ts'

const RECONNECT_MS = 100

const system = await startTestSystem(t, { worker: false, env: { REALTIME_DRAIN_MS: '500' } })
const addresses = await addressesOf(t, system)

/**
 * Reads `GET /events` as a browser's EventSource does: it reconnects after a lost connection, and gives up for good at
 * any status but 200.
 */
function openEventSource ({ origin }: Address, { token, signal }: { token: string, signal: AbortSignal }) {
  const ids: string[] = []
  const seen = { ids, opened: 0, gaveUp: undefined as number | undefined }

  async function read () {
    const lastEventId = ids.at(-1)
    const headers = {
      accept: 'text/event-stream',
      authorization: `Bearer ${token}`,
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId })
    }
    const response = await fetch(`${origin('/events')}/events`, { headers, signal })
    if (response.status !== 200) {
      seen.gaveUp = response.status
      return
    }
    seen.opened++
    let text = ''
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString()
      const end = text.lastIndexOf('\n\n')
      for (const [, id] of text.slice(0, Math.max(end, 0)).matchAll(/^id: (.+)$/gm)) ids.push(id as string)
      text = text.slice(Math.max(end, 0))
    }
  }
  const loop = async () => {
    while (seen.gaveUp === undefined && !signal.aborted) {
      await read().catch(() => {})
      await sleep(RECONNECT_MS, undefined, { signal }).catch(() => {})
    }
  }
  return { seen, done: loop() }
}

t.test('an event stream survives a restart of the gateway', async t => {
  const leave = new AbortController()
  const sources = addresses.filter(({ skip }) => !skip).map(address => {
    const token = system.token(`streams of ${address.name}`)
    return { address, token, ...openEventSource(address, { token, signal: leave.signal }) }
  })
  for (const { address, seen } of sources) {
    await until(() => seen.ids.length > 0, { what: `the first session through ${address.name}` })
  }
  const before = sources.map(({ seen }) => seen.opened)
  await system.process('realtime-gateway-1').kill('SIGTERM')
  await system.process('realtime-gateway-1').ready()

  for (const [index, { address, token, seen }] of sources.entries()) {
    await t.test(`through ${address.name}`, async t => {
      await until(() => seen.opened > (before[index] as number) || seen.gaveUp, { what: 'the stream to reconnect' })
      t.equal(seen.gaveUp, undefined, 'no response has a status at which a browser gives up')
      const known = seen.ids.length
      await restClient(address, token)<SubmittedJob>('/submit-job', { body: { name: 'x' } })
      await until(() => seen.ids.length > known, { what: 'the events of the job' })
    })
  }
  leave.abort()
  await Promise.all(sources.map(({ done }) => done))
})

for (const address of addresses) {
  const { name, skip, origin } = address
  t.test(`Socket.IO long polling and a WebSocket through ${name}`, { skip }, async t => {
    const token = system.token(`sockets of ${name}`)
    const { received, socket } = await socketClient(t, address, token, ['polling'])
    const url = `${origin('/ws').replace('http', 'ws')}/ws`
    const plain = new WebSocket(url, ['tidings.v1', `bearer.${token}`])
    t.teardown(() => plain.terminate())
    const events: string[] = []
    plain.on('message', data => events.push((JSON.parse((data as Buffer).toString()) as { event: string }).event))
    await once(plain, 'open')
    t.equal(plain.protocol, 'tidings.v1')
    await until(() => events.includes('session'))
    const { body: { jobId } } = await restClient(address, token)<SubmittedJob>('/submit-job', { body: { name: 'x' } })
    t.match(await socket.emitWithAck('subscribe:job', jobId), { ok: true })
    await until(() => received('job:state', jobId).length > 0 && events.includes('job:state'))

    const refused = new WebSocket(url).on('error', () => {})
    const [, response] = await once(refused, 'unexpected-response') as [unknown, { statusCode: number }]
    t.equal(response.statusCode, 401, 'the refusal of the gateway arrives unchanged')
  })
}
