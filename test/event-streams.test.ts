import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import WebSocket from 'ws'
import type { SubmittedJob } from '@tidings/contracts'
import { until } from '@tidings/testing'
import { addressesOf } from './addresses.ts'
import { restClient, socketClient } from './client.ts'
import { startTestSystem } from './system.ts'

const system = await startTestSystem(t, { worker: false, env: { REALTIME_DRAIN_MS: '500' } })
/** An EventSource as browsers have it: it comes back after a lost connection and gives up at any other status than 200. */
async function eventSource (origin: (path: string) => string, { token, signal }: { token: string, signal: AbortSignal }) {
  const ids: string[] = []
  const seen = { ids, opened: 0, gaveUp: undefined as number | undefined }

  async function read () {
    const lastEventId = ids.at(-1)
    const headers = { accept: 'text/event-stream', authorization: `Bearer ${token}`, ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) }
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
      await sleep(100, undefined, { signal }).catch(() => {})
    }
  }
  return { seen, done: loop() }
}

for (const { name, skip, origin } of await addressesOf(t, system)) {
  t.test(`an event stream through ${name} outlives a restart of the gateway`, { skip }, async t => {
    const gone = new AbortController()
    const token = system.token(`streams of ${name}`)
    const { seen, done } = await eventSource(origin, { token, signal: gone.signal })
    await until(() => seen.ids.length > 0, { what: 'the first session' })

    const before = seen.opened
    await system.process('realtime-gateway-1').kill('SIGTERM')
    await system.process('realtime-gateway-1').ready()
    await until(() => seen.opened > before || seen.gaveUp, { what: 'the stream to be back' })
    t.equal(seen.gaveUp, undefined, 'never a status at which a browser ends it for good')
    const known = seen.ids.length
    await restClient({ origin }, token)<SubmittedJob>('/submit-job', { body: { name: 'x' } })
    await until(() => seen.ids.length > known, { what: 'events of the job' })
    gone.abort()
    await done
  })

  t.test(`Socket.IO by polling and a WebSocket through ${name}`, { skip }, async t => {
    const token = system.token(`sockets of ${name}`)
    const { told, socket } = await socketClient(t, { origin }, token, ['polling'])
    const plain = new WebSocket(`${origin('/ws').replace('http', 'ws')}/ws`, ['tidings.v1', `bearer.${token}`])
    t.teardown(() => plain.terminate())
    const events: string[] = []
    plain.on('message', data => events.push((JSON.parse((data as Buffer).toString()) as { event: string }).event))
    await once(plain, 'open')
    t.equal(plain.protocol, 'tidings.v1')
    await until(() => events.includes('session'))
    const { body: { jobId } } = await restClient({ origin }, token)<SubmittedJob>('/submit-job', { body: { name: 'x' } })
    t.match(await socket.emitWithAck('subscribe:job', jobId), { ok: true })
    await until(() => told('job:state', jobId).length > 0 && events.includes('job:state'))

    const refused = new WebSocket(`${origin('/ws').replace('http', 'ws')}/ws`)
    const [, response] = await once(refused.on('error', () => {}), 'unexpected-response') as [unknown, { statusCode: number }]
    t.equal(response.statusCode, 401, 'a refusal is the gateway\'s own')
  })
}
