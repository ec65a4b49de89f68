import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'bullmq'
import t from 'tap'
import type { Job, SubmittedJob, WebhookPayload } from '@tidings/contracts'
import { startReceiver, until } from '@tidings/testing'
import { restClient, socketClient } from './client.ts'
import { startTestSystem } from './system.ts'

const PROGRESS = 100
/** For each wait; far more than a slow machine takes. */
const PATIENCE = { timeoutMs: 60_000 }

const system = await startTestSystem(t, { worker: false })

// The worker knows nothing of Tidings, and outlives whatever is killed.
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

const told = [...Array.from({ length: PROGRESS }, (_, i) => i + 1), 'completed']

for (const victim of ['jobs-api', 'realtime-gateway-1', 'webhook-dispatcher', 'edge']) {
  t.test(`SIGKILL of ${victim} in the middle of a job loses nothing on any channel`, async t => {
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
      const { body } = await rest<Job>(`/jobs/${jobId}`) // throws while the edge is away
      return body.state === 'completed' && body
    }, PATIENCE)
    t.match(job, { progress: PROGRESS, result: { rows: PROGRESS } })

    await until(() => client.told('job:completed', jobId).length > 0, PATIENCE)
    const onSocket = [...client.told('job:progress', jobId).map(({ progress }) => progress), ...client.told('job:completed', jobId).map(() => 'completed')]
    t.same(onSocket, told, 'the socket was told each event once, in order')

    const byId = () => new Map(receiver.requests.map(({ headers, json }) => [headers['webhook-id'], json as WebhookPayload]))
    await until(() => byId().size === PROGRESS + 1, { ...PATIENCE, what: 'all webhooks' })
    t.same([...byId().values()].map(({ progress, eventType }) => progress ?? eventType), told, 'every event reached the webhook, in order')
    t.same([...byId().keys()].at(-1), job.lastEventId)
  })
}
