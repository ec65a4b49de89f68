import { createHmac } from 'node:crypto'
import { Queue, Worker } from 'bullmq'
import { Webhook } from 'standardwebhooks'
import t from 'tap'
import type { CreatedWebhook, Job, JobList, Problem, SubmittedJob, WebhookPayload } from '@tidings/contracts'
import { startReceiver, until } from '@tidings/testing'
import { addressesOf } from './addresses.ts'
import { connectError, restClient, socketClient, type JobEventPayload } from './client.ts'
import { startTestSystem } from './system.ts'

const system = await startTestSystem(t, { env: { JOB_QUEUES: 'default,own', JWT_CLOCK_TOLERANCE: '0' } })
const connection = { url: system.endpoints.redis as string }

for (const address of await addressesOf(t, system)) {
  t.test(`through ${address.name}`, { skip: address.skip }, async t => {
    t.test('all three channels report one real job alike', async t => {
      const token = system.token(1)
      const rest = restClient(address, token)
      const receiver = await startReceiver(t)
      const { received, socket } = await socketClient(t, address, token)
      const { body: webhook } = await rest<CreatedWebhook>('/webhooks', {
        body: { url: `${receiver.url}/hook`, eventType: 'all', description: 'all of it' }
      })

      const submitted = await rest<SubmittedJob>('/submit-job', {
        body: { name: 'dataProcessing', data: { file: 'zipcodes.csv' } }
      })
      t.equal(submitted.status, 202)
      const { jobId } = submitted.body
      const ack = await socket.emitWithAck('subscribe:job', jobId)
      t.match(ack, { ok: true, job: { id: jobId, name: 'dataProcessing' } }, JSON.stringify(ack))

      await until(() => received('job:completed', jobId)[0])
      await receiver.waitFor(
        requests => requests.some(({ json }) => (json as WebhookPayload).eventType === 'completed')
      )
      const job = await until(async () => {
        const { body } = await rest<Job>(`/jobs/${jobId}`)
        return body.state === 'completed' && body
      })

      const [completed] = received('job:completed', jobId) as [JobEventPayload]
      const hooks = receiver.requests.map(({ headers, json, body }) => ({
        id: headers['webhook-id'],
        headers,
        json: json as WebhookPayload,
        body
      }))
      const last = hooks.find(({ json }) => json.eventType === 'completed')
      t.match(job.result, { rows: 42049 })
      t.same(completed.result, job.result, 'sockets and polling have the same result')
      t.same(last?.json, {
        id: jobId,
        jobname: 'dataProcessing',
        userId: 1,
        result: job.result,
        eventType: 'completed'
      })
      t.same(
        [completed.eventId, last?.id],
        [job.lastEventId, job.lastEventId],
        'the last event has the same id on every channel'
      )

      const progress = received('job:progress', jobId)
      t.ok(progress.length > 10)
      t.equal(progress.at(-1)?.progress, 100)
      const progressHooks = hooks.filter(({ json }) => json.eventType === 'progress')
      t.same(
        progressHooks.map(({ id }) => id),
        progress.map(({ eventId }) => eventId),
        'each progress event once, in order, under one id'
      )
      // On a busy machine the job may have ended before the subscription.
      const isAfterEnd = (ack as { job: Job }).job.state === 'completed'
      t.equal(received(`job:${jobId}:completed`).length, isAfterEnd ? 0 : 1)

      const verifier = new Webhook(webhook.secret)
      for (const { headers, body } of hooks) {
        t.same(verifier.verify(body, headers as Record<string, string>), JSON.parse(body))
      }
    })

    t.test('all three channels report a failure', async t => {
      const token = system.token('failing')
      const rest = restClient(address, token)
      const receiver = await startReceiver(t)
      const { received } = await socketClient(t, address, token)
      await rest('/webhooks', { body: { url: receiver.url, eventType: 'failed' } })
      const { body: { jobId } } = await rest<SubmittedJob>('/submit-job', {
        body: { name: 'dataProcessing', data: { file: 'nowhere.csv' } }
      })

      const failed = await until(() => received('job:failed', jobId)[0])
      const [hook] = await receiver.waitFor(1)
      const job = await until(async () => {
        const { body } = await rest<Job>(`/jobs/${jobId}`)
        return body.state === 'failed' && body
      })
      t.match(job.failedReason, /nowhere\.csv/)
      t.equal(failed.error, job.failedReason)
      t.match(hook?.json, { error: job.failedReason, eventType: 'failed', userId: 'failing' })
    })

    t.test('a job that another producer adds directly to BullMQ is reported too', async t => {
      const token = system.token(2)
      const { received } = await socketClient(t, address, token)
      const queue = new Queue('own', { connection })
      const worker = new Worker('own', async job => {
        await job.updateProgress({ step: 'half' })
        return 'done'
      }, { connection })
      t.teardown(() => Promise.all([worker.close(), queue.close()]))
      const { id } = await queue.add('theirs', { userId: 2 })
      await until(() => received('job:completed', id)[0])
      t.match(received('job:progress', id), [{ name: 'theirs', queue: 'own', progress: { step: 'half' } }])
      const job = await until(async () => {
        const { body } = await restClient(address, token)<Job>(`/jobs/${id}?queue=own`)
        return body.state === 'completed' && body
      })
      t.match(job, { id, name: 'theirs', queue: 'own', result: 'done' })
    })

    t.test('a user sees no jobs, events or webhooks of another user', async t => {
      const [mine, theirs] = [system.token('alice'), system.token('bob')]
      const receiver = await startReceiver(t)
      const bob = await socketClient(t, address, theirs)
      await restClient(address, theirs)('/webhooks', { body: { url: receiver.url, eventType: 'all' } })
      const { body: hook } = await restClient(address, mine)<CreatedWebhook>('/webhooks', {
        body: { url: 'http://127.0.0.1:9/', eventType: 'failed' }
      })
      const { body: { jobId } } = await restClient(address, mine)<SubmittedJob>('/submit-job', {
        body: { name: 'dataProcessing', data: { file: 'zipcodes.csv' } }
      })

      t.equal((await restClient(address, theirs)(`/jobs/${jobId}`)).status, 404)
      t.equal((await restClient(address, theirs)(`/webhooks/${hook.id}`, { method: 'DELETE' })).status, 404)
      t.match(await bob.socket.emitWithAck('subscribe:job', jobId), { ok: false })
      await until(async () => (await restClient(address, mine)<Job>(`/jobs/${jobId}`)).body.state === 'completed')
      t.same((await restClient(address, theirs)<JobList>('/jobs')).body.jobs, [])
      t.same(bob.events.filter(({ event }) => event.startsWith('job:')), [])
      t.same(receiver.requests, [])
    })

    t.test('every route and Socket.IO refuse a missing, forged, expired or unsigned token', async t => {
      const [, claims] = system.token(1).split('.') as [string, string]
      const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims}.`
      const head = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')
      const forged =
        `${head}.${claims}.${createHmac('sha256', 'another secret').update(`${head}.${claims}`).digest('base64url')}`
      const expired = system.token(1, -60_000) // beyond the clock tolerance

      for (const [token, code] of [
        [undefined, 'token_missing'],
        [forged, 'token_invalid'],
        [expired, 'token_expired'],
        [none, 'token_invalid']
      ] as const) {
        for (const path of ['/jobs', '/jobs/x', '/webhooks']) {
          t.equal((await restClient(address, token)(path)).status, 401, `${code} ${path}`)
        }
        const refused = await connectError(address, token === undefined ? {} : { token })
        t.match(refused, { message: 'unauthorized', data: { code } })
      }
    })

    t.test('invalid input is answered with a problem that names the field', async t => {
      const rest = restClient(address, system.token(1))
      const cases: [string, object, number, string?][] = [
        ['/submit-job', { body: { name: 'x', colour: 'red' } }, 400, 'body.colour'],
        ['/submit-job', { body: { name: 5 } }, 400, 'body.name'],
        ['/submit-job', { body: { data: {} } }, 400, 'body.name'],
        ['/submit-job', { body: { name: 'x', delay: '5' } }, 400, 'body.delay'],
        ['/submit-job', { body: '{"name":' }, 400],
        ['/submit-job', { body: { name: 'x', data: { text: 'x'.repeat(2 * 1024 * 1024) } } }, 413],
        ['/jobs?limit=1000', {}, 400, 'querystring.limit'],
        ['/jobs?status=foo', {}, 400, 'querystring.status'],
        ['/webhooks', { body: { url: 'not a url', eventType: 'all' } }, 400, 'body.url'],
        ['/webhooks', { body: { url: 'https://example.com', eventType: 'sometimes' } }, 400, 'body.eventType']
      ]
      for (const [path, send, status, field] of cases) {
        const answer = await rest<Problem>(path, send)
        t.equal(answer.status, status, `${path} ${JSON.stringify(send).slice(0, 60)}`)
        t.match(answer.headers.get('content-type'), 'application/problem+json')
        if (field) t.same(answer.body.errors?.map(({ path }) => path), [field])
      }
    })
  })
}
