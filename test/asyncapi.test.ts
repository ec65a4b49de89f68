import { Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { io } from 'socket.io-client'
import t from 'tap'
import WebSocket from 'ws'
import { JOB_EVENTS_KEY, type SubmittedJob } from '@tidings/contracts'
import type { AsyncApiDocument } from '@tidings/contracts/asyncapi'
import { startReceiver, until } from '@tidings/testing'
import { matches, withoutReferences } from '@tidings/testing/fuzz'
import { restClient } from './client.ts'
import { read } from './docs/pages.ts'
import { startTestSystem } from './system.ts'

const system = await startTestSystem(t, { worker: false, env: { REALTIME_DRAIN_MS: '500' } })
const edge = system.endpoints.edge as string
const connection = { url: system.endpoints.redis as string }
const USER = 7

/** The document, in which objects have the fields that they name and no others. */
const document = JSON.parse(
  JSON.stringify(withoutReferences(JSON.parse(read('docs/asyncapi.json')) as object)),
  (_key, value: { type?: unknown, properties?: object, additionalProperties?: unknown } | null) =>
    value?.type === 'object' && value.properties && value.additionalProperties === undefined
      ? { ...value, additionalProperties: false }
      : value
) as AsyncApiDocument

const seen = new Set<string>()
const faults: string[] = []

/** Checks what travelled in a channel: it has to be as one of the channel's messages of that name. */
function check (channel: string, name: string, value: unknown): void {
  const found = Object.keys(document.channels[channel]?.messages ?? {}).find(id => {
    const message = document.components.messages[id]
    return message && isNamed(message.name, name) && matches(message.payload, value)
  })
  if (found !== undefined) seen.add(found)
  else faults.push(`${channel} ${name}: ${JSON.stringify(value)}`)
}

function isNamed (pattern: string, name: string): boolean {
  const [start, end] = pattern.split('<jobId>')
  return end === undefined
    ? name === pattern
    : name.startsWith(start as string) && name.endsWith(end) && name.length > pattern.length - '<jobId>'.length
}

/** A Socket.IO client that checks its commands, unless they are to be refused, and all that it receives. */
async function socketIo (token: string) {
  const socket = io(edge, { transports: ['websocket'], forceNew: true, reconnection: false, auth: { token } })
  t.teardown(() => socket.disconnect())
  const names: string[] = []
  socket.onAny((name: string, payload: unknown) => {
    names.push(name)
    check('socketIo', name, payload)
  })
  await until(() => names.includes('session'))
  return {
    names,
    command: async (name: string, input: unknown, isValid = true) => {
      if (isValid) check('socketIo', name, input)
      check('socketIo', `ack of ${name}`, await socket.emitWithAck(name, input))
    },
    emit: (name: string, input: unknown) => { socket.emit(name, input) }
  }
}

/** The same over `/ws`. */
async function webSocket (token: string) {
  const socket = new WebSocket(`${edge.replace('http', 'ws')}/ws`, ['tidings.v1', `bearer.${token}`])
  t.teardown(() => socket.terminate())
  const names: string[] = []
  socket.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString()) as { event: string }
    names.push(frame.event)
    check('webSocket', frame.event, frame)
  })
  await until(() => names.includes('session'))
  let id = 0
  return {
    names,
    command: async (event: string, data: unknown, isValid = true) => {
      const frame = { event, data, id: ++id }
      if (isValid) check('webSocket', event, frame)
      const before = names.filter(name => name === 'ack').length
      socket.send(JSON.stringify(frame))
      await until(() => names.filter(name => name === 'ack').length > before)
    },
    emit: (event: string, data: unknown) => socket.send(JSON.stringify({ event, data })),
    send: (text: string) => socket.send(text)
  }
}

/** Reads an event stream to its end, and checks each block. */
function eventStream (channel: string, path: string, token: string): string[] {
  const names: string[] = []
  const leave = new AbortController()
  t.teardown(() => leave.abort())
  async function listen () {
    const headers = { authorization: `Bearer ${token}` }
    const response = await fetch(`${edge}${path}`, { headers, signal: leave.signal })
    let text = ''
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      const blocks = (text + Buffer.from(chunk).toString()).split('\n\n')
      text = blocks.pop() as string
      for (const block of blocks) {
        const { event, data } = Object.fromEntries(block.split('\n').map(line => line.split(/: (.*)/s)))
        if (event === undefined) continue
        names.push(event as string)
        check(channel, event as string, JSON.parse(data as string))
      }
    }
  }
  listen().catch(err => { if (!leave.signal.aborted) faults.push(`${path}: ${String(err)}`) })
  return names
}

t.test('all that travels is in the AsyncAPI document, and all of the document travels', async t => {
  const receiver = await startReceiver(t)
  const token = system.token(USER)
  const rest = restClient(system, token)
  await rest('/webhooks', { body: { url: receiver.url, eventType: 'all' } })
  const submit = async (name: string) => (await rest<SubmittedJob>('/submit-job', { body: { name } })).body.jobId
  const clients = [await socketIo(token), await webSocket(token)] as const
  const expiring = [await socketIo(system.token(USER, 55_000)), await webSocket(system.token(USER, 55_000))]
  const events = eventStream('events', '/events', token)
  await until(() => events.includes('session'))

  const [good, bad] = [await submit('good'), await submit('bad')]
  const ofJob = eventStream('jobStream', `/jobs/${good}/stream`, token)
  await until(() => ofJob.includes('job'))
  for (const client of clients) {
    await client.command('subscribe:job', { jobId: good })
    await client.command('subscribe:job', bad)
    await client.command('subscribe:job', { jobId: good, surplus: true }, false)
    await client.command('unsubscribe:job', 'none')
    await client.command('auth:refresh', system.token(USER))
    await client.command('auth:refresh', 'not a token')
    client.emit('subscribe:job', { jobId: good })
    client.emit('subscribe:job', { surplus: true })
    client.emit('auth:refresh', { token: system.token(USER) })
    client.emit('auth:refresh', 'not a token')
    client.emit('nonsense', 1)
    for (const name of ['subscribe:ok', 'subscribe:error', 'auth:refreshed', 'auth:error', 'command:error']) {
      await until(() => client.names.includes(name), { what: name })
    }
  }
  clients[1].send('not JSON')
  await until(() => clients[1].names.includes('error'))

  const worker = new Worker('default', async job => {
    await job.updateProgress(50)
    if (job.name === 'bad') throw new Error('cannot')
    return { rows: 1 }
  }, { connection })
  t.teardown(async () => await worker.close())
  for (const { names } of clients) {
    for (const name of [`job:${good}:progress`, `job:${good}:completed`, `job:${bad}:failed`]) {
      await until(() => names.includes(name), { what: name })
    }
  }
  await until(() => expiring.every(({ names }) => names.includes('auth:expiring')))
  await until(() => events.includes('job:failed') && ofJob.includes('job:completed'))
  await until(async () => (await rest<{ state: string }>(`/jobs/${bad}`)).body.state === 'failed')
  await rest('/bulk', { body: { action: 'retry', ids: [bad] } })
  for (const names of [...clients.map(({ names }) => names), events]) {
    await until(() => names.includes('bulk:progress'), { what: 'bulk:progress' })
  }

  const types = () => receiver.requests.map(({ json }) => (json as { eventType: string }).eventType)
  await until(() => ['progress', 'completed', 'failed'].every(type => types().includes(type)))
  for (const { json, headers } of receiver.requests) {
    check('webhook', (json as { eventType: string }).eventType, json)
    const { headers: schema = {} } = document.components.messages.webhookCompleted as { headers?: object }
    const own = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('webhook-')))
    t.ok(matches(schema, own), JSON.stringify(own))
  }
  const redis = new Redis(connection.url)
  for (const [, fields] of await redis.xrange(JOB_EVENTS_KEY, '-', '+')) {
    check('jobEvents', 'job event', JSON.parse(fields[fields.indexOf('d') + 1] as string))
  }
  redis.disconnect()

  await system.process('realtime-gateway-1').kill('SIGTERM')
  for (const { names } of [...clients, ...expiring]) {
    await until(() => names.includes('server:draining') && names.includes('session:end'))
  }
  await until(() => events.includes('session:end') && ofJob.includes('session:end'))

  t.same(faults, [])
  t.same(Object.keys(document.components.messages).filter(id => !seen.has(id)), [])
})
