import { Worker, type ConnectionOptions, type WorkerOptions } from 'bullmq'
import { io } from 'socket.io-client'
import type { WebhookPayload } from '@tidings/contracts'
import { startReceiver, tokenOf, until, type TestContext } from '@tidings/testing'
import { startServices } from './three-services.ts'

const headers = { authorization: `Bearer ${tokenOf(1)}`, 'content-type': 'application/json' }
const TIMEOUT_MS = 60_000

type TestWorker = {
  connection: ConnectionOptions & { disconnect: () => void },
  options?: Partial<WorkerOptions>,
  name?: string
}

/**
 * Starts the services with a worker, a webhook and a socket; returns a function that runs a job to its end on all
 * channels.
 */
export async function startChannels (t: TestContext, settings: Record<string, string>, worker: TestWorker) {
  const { urls, output } = await startServices(t, settings)
  const one = new Worker(worker.name ?? 'default', async job => ({ of: job.id }), {
    connection: worker.connection,
    ...worker.options
  })
  one.on('error', () => {})
  t.teardown(async () => {
    await one.close(true)
    worker.connection.disconnect()
  })
  const receiver = await startReceiver(t)
  const ready = async (url: string) =>
    ((await (await fetch(`${url}/readyz`)).json()) as { status: string }).status === 'ok'
  for (const url of Object.values(urls)) {
    await until(() => ready(url), { timeoutMs: TIMEOUT_MS, what: `${url} to be ready. ${output().slice(-2000)}` })
  }
  const created = await fetch(`${urls.dispatcher}/webhooks`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ url: receiver.url, eventType: 'completed' })
  })
  if (created.status !== 201) throw new Error(await created.text())
  const socket = io(urls.gateway, { transports: ['websocket'], auth: { token: tokenOf(1) }, forceNew: true })
  t.teardown(() => socket.disconnect())
  const completed: string[] = []
  socket.on('job:completed', ({ jobId }: { jobId: string }) => { completed.push(jobId) })
  await new Promise(resolve => socket.once('session', resolve))

  return async function runJob (queue = 'default') {
    const submitted = await fetch(`${urls.jobs}/submit-job`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ name: 'work', queue })
    })
    const { jobId } = await submitted.json() as { jobId: string }
    const options = { timeoutMs: TIMEOUT_MS, what: `the end of ${jobId}. ${output().slice(-3000)}` }
    const result = await until(async () => {
      const job = await (await fetch(`${urls.jobs}/jobs/${jobId}`, { headers })).json() as {
        state: string,
        result: unknown
      }
      return job.state === 'completed' && job.result
    }, options)
    await until(() => completed.includes(jobId), options)
    await until(() => receiver.requests.some(({ json }) => (json as WebhookPayload).id === jobId), options)
    return { jobId, result }
  }
}
