import { Queue, Worker } from 'bullmq'
import t from 'tap'
import WebSocket from 'ws'
import type { CreatedWebhook } from '@tidings/contracts'
import { startReceiver, until } from '@tidings/testing'
import { restClient, socketClient } from './client.ts'
import { startTestSystem } from './system.ts'

/** None of these numbers survives being parsed and serialized again. */
const NUMBERS = {
  id: '1152921506151679042',
  one: '1.0',
  large: '1e400',
  zero: '-0',
  long: '0.1234567890123456789012345'
}
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown }
const VALUE = {
  ...Object.fromEntries(Object.entries(NUMBERS).map(([name, text]) => [name, rawJSON(text)])),
  z: { b: 'nul \0 é', a: null }
}
const TEXT = JSON.stringify(VALUE)

const system = await startTestSystem(t, { env: { JOB_QUEUES: 'default,own' } })
const edge = system.endpoints.edge as string
const connection = { url: system.endpoints.redis as string }

t.test('JSON of a worker arrives unchanged on every channel, live, resumed and redelivered', async t => {
  const token = system.token('values')
  const headers = { authorization: `Bearer ${token}` }
  const rest = restClient(system, token)
  const text = async (path: string) => await (await fetch(`${edge}${path}`, { headers })).text()
  const receiver = await startReceiver(t)
  const { body: hook } = await rest<CreatedWebhook>('/webhooks', { body: { url: receiver.url, eventType: 'all' } })

  const queue = new Queue('own', { connection })
  const worker = new Worker('own', async job => {
    await job.updateProgress(VALUE)
    return VALUE
  }, { connection })
  t.teardown(() => Promise.all([worker.close(), queue.close()]))
  // A session that starts before the first event of the stream has no position to resume from.
  const { id: first } = await queue.add('first', { userId: 'values' })
  await until(async () => (await text(`/jobs/${first}?queue=own`)).includes('"completed"'))

  const packets: string[] = []
  for (const transport of ['websocket', 'polling']) {
    const { socket } = await socketClient(t, system, token, [transport])
    socket.io.engine.on('packet', ({ data }: { data?: string }) => { packets.push(`${transport} ${data ?? ''}`) })
  }
  const frames: string[] = []
  const webSocket = new WebSocket(`${edge.replace('http', 'ws')}/ws`, { headers })
  webSocket.on('message', (data: Buffer) => { frames.push(data.toString()) })
  t.teardown(() => webSocket.terminate())
  await until(() => frames.some(frame => frame.includes('"session"')))
  const { data: { lastEventId } } = JSON.parse(frames[0] as string) as { data: { lastEventId: string } }

  const { id: jobId } = await queue.add('theirs', { userId: 'values' })
  await until(async () => (await text(`/jobs/${jobId}?queue=own`)).includes('"completed"'))

  const [progress, result] = [`"progress":${TEXT}`, `"result":${TEXT}`]
  const job = await text(`/jobs/${jobId}?queue=own`)
  t.ok(job.includes(progress) && job.includes(result), 'GET /jobs/:id')
  t.ok((await text('/jobs')).includes(progress), 'GET /jobs')
  for (const [channel, all] of [['websocket', packets], ['polling', packets], ['/ws', frames]] as const) {
    const whole = () => all.filter(one => channel === '/ws' || one.startsWith(channel))
    await until(() => whole().some(one => one.includes(result)), { what: channel })
    t.ok(whole().some(one => one.includes(progress)), channel)
  }
  await receiver.waitFor(requests => requests.some(
    ({ body }) => body.includes(`"id":"${jobId}"`) && body.includes(`${result},"eventType":"completed"`)
  ))
  t.ok(receiver.requests.some(({ body }) => body.includes(`${progress},"eventType":"progress"`)), 'webhook')

  const stream = await streamUntil(`${edge}/events?lastEventId=${lastEventId}`, headers, result)
  t.ok(stream.includes(progress) && stream.includes(result), 'server-sent events, resumed from the history')

  const { body: { deliveries } } = await rest<{
    deliveries: { id: number, eventType: string }[]
  }>(`/webhooks/${hook.id}/deliveries`)
  const { id } = deliveries.find(({ eventType }) => eventType === 'completed') as { id: number }
  t.ok((await text(`/deliveries/${id}`)).includes(result), 'the delivery log')
  const before = receiver.requests.length
  await rest(`/deliveries/${id}/redeliver`, { method: 'POST' })
  await receiver.waitFor(before + 1)
  t.ok(receiver.requests.at(-1)?.body.includes(result), 'redelivered')
})

t.test('values that are too large are truncated alike on every channel, and whole in REST', async t => {
  const token = system.token('large')
  const rest = restClient(system, token)
  const receiver = await startReceiver(t)
  await rest('/webhooks', { body: { url: receiver.url, eventType: 'all' } })
  const { received } = await socketClient(t, system, token)
  const queue = new Queue('own', { connection })
  const large = 'x'.repeat(100_000)
  const worker = new Worker('own', async job => {
    if (job.name === 'fails') throw new Error(large)
    await job.updateProgress(large)
    return large
  }, { connection })
  t.teardown(() => Promise.all([worker.close(), queue.close()]))
  const [done, failed] = await Promise.all([
    queue.add('done', { userId: 'large' }),
    queue.add('fails', { userId: 'large' })
  ])

  await until(() => received('job:completed', done.id)[0] && received('job:failed', failed.id)[0])
  t.match(received('job:progress', done.id), [{ progress: null, progressTruncated: true }])
  t.match(received('job:completed', done.id), [{ result: null, resultTruncated: true }])
  t.match(received('job:failed', failed.id), [{ error: large.slice(0, 64 * 1024), errorTruncated: true }])
  await receiver.waitFor(3)
  const bodies = receiver.requests.map(({ json }) => json as { eventType: string })
  const bodyOf = (type: string) => bodies.find(({ eventType }) => eventType === type)
  t.match(bodyOf('progress'), { progress: null, progressTruncated: true })
  t.match(bodyOf('completed'), { result: null, resultTruncated: true })
  t.match(bodyOf('failed'), { error: large.slice(0, 64 * 1024), errorTruncated: true })
  const shown = await until(async () => {
    const { body } = await rest<Record<string, unknown>>(`/jobs/${done.id}?queue=own`)
    return body.state === 'completed' && body
  })
  t.match(shown, { progress: large, result: large })
  t.notOk('progressTruncated' in shown || 'resultTruncated' in shown, 'whole in REST')
  t.match((await until(async () => {
    const { body } = await rest<Record<string, unknown>>(`/jobs/${failed.id}?queue=own`)
    return body.state === 'failed' && body
  })), { failedReason: large })
})

async function streamUntil (url: string, headers: Record<string, string>, wanted: string): Promise<string> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(60_000) })
  let text = ''
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk
    if (text.includes(wanted)) break
  }
  return text
}
