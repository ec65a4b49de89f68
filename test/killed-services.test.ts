import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'bullmq'
import t from 'tap'
import type { Job, SubmittedJob, WebhookPayload } from '@tidings/contracts'
import { startReceiver, until } from '@tidings/testing'
import { restClient, socketClient } from './client.ts'
import { startTestSystem } from './system.ts'

const PROGRESS = 100
/** Of each wait; far more than a slow machine needs. */
const TIMEOUT = { timeoutMs: 60_000 }

const system = await startTestSystem(t, { worker: false })

// The worker does not depend on Tidings, and survives the kills.
let halfway: () => void
const worker = new Worker('default', async job => {
  for (let n = 1; n <= PROGRESS; n++) {
    await job.updateProgress(n)
    if (n === PROGRESS / 2) halfway()
    await sleep(5)
  }
  return { rows: PROGRESS }
}, { connection: { url: system.endpoints.redis as string } })
t.teardown(() => worker.close())

const expected = [...Array.from({ length: PROGRESS }, (_, i) => i + 1), 'completed']

for (const victim of ['jobs-api', 'realtime-gateway-1', 'webhook-dispatcher', 'edge']) {
  t.test(`SIGKILL of ${victim} in the middle of a job loses no event on any channel`, async t => {
    const token = system.token(victim)
    const rest = restClient(system, token)
    const receiver = await startReceiver(t)
    const client = await socketClient(t, system, token)
    await rest('/webhooks', { body: { url: receiver.url, eventType: 'all' } })

    const middle = new Promise<void>(resolve => { halfway = resolve })
    const { body: { jobId } } = await rest<SubmittedJob>('/submit-job', { body: { name: 'slow' } })
    await middle
    await system.process(victim).kill('SIGKILL')
    await system.process(victim).ready()

    const job = await until(async () => {
      const { body } = await rest<Job>(`/jobs/${jobId}`) // throws while the edge is down
      return body.state === 'completed' && body
    }, TIMEOUT)
    t.match(job, { progress: PROGRESS, result: { rows: PROGRESS } })

    await until(() => client.received('job:completed', jobId).length > 0, TIMEOUT)
    const onSocket = [
      ...client.received('job:progress', jobId).map(({ progress }) => progress),
      ...client.received('job:completed', jobId).map(() => 'completed')
    ]
    t.same(onSocket, expected, 'the socket received each event once, in order')

    const byId = () =>
      new Map(receiver.requests.map(({ headers, json }) => [headers['webhook-id'], json as WebhookPayload]))
    await until(() => byId().size === PROGRESS + 1, { ...TIMEOUT, what: 'all webhooks' })
    const delivered = [...byId().values()].map(({ progress, eventType }) => progress ?? eventType)
    t.same(delivered, expected, 'every event reached the webhook, in order')
    t.same([...byId().keys()].at(-1), job.lastEventId)
  })
}
