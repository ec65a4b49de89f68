import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { spawnService, until } from '@tidings/testing'
import {
  createClient, JobFailedError, type Channel, type Events, type Gap, type Job, type JobEvent
} from '../src/index.ts'
import { startBufferingProxy, startTcpProxy } from './proxy.ts'
import { startCounting, withoutEdge } from './system.ts'

const system = await startCounting(t)
const edge = system.endpoints.edge as string
const upTo = (to: number) => Array.from({ length: to }, (_, i) => i + 1)

/** What a stream of events brings until the end of a job. */
async function readToEnd (events: Events, jobId: string): Promise<(JobEvent | Gap)[]> {
  const read = []
  for await (const event of events) {
    read.push(event)
    if (event.type !== 'gap' && event.jobId === jobId && (event.type === 'completed' || event.type === 'failed')) break
  }
  return read
}

function isWhole (t: Test, events: (JobEvent | Gap)[], to: number) {
  t.same(events.filter(({ type }) => type === 'gap'), [], 'no gap')
  const progress = events.flatMap(event => event.type === 'progress' ? [event.progress] : [])
  t.same(progress, upTo(to), 'each progress once, in order')
  t.match(events.at(-1), { type: 'completed', result: { counted: to } })
}

const channels: Channel[][] = [['websocket'], ['sse'], ['poll']]
for (const [place, options] of [['the edge', { url: edge }], ['the services', withoutEdge(system)]] as const) {
  for (const only of channels) {
    const [channel] = only
    t.test(`a job over ${channel} through ${place}`, async t => {
      const client = createClient({ ...options, token: system.token(`${channel} ${place}`), channels: only })
      const statuses: string[] = []
      client.onStatus(({ state }) => statuses.push(state))
      const job = await client.jobs.submit('count', { to: 20, pauseMs: 30 })
      const seen: Job[] = []
      for await (const now of job.watch()) seen.push(now)
      t.match(seen.at(-1), { id: job.jobId, state: 'completed', progress: 20, result: { counted: 20 } })
      t.same(seen.at(-1), await job.get(), 'the end is what REST shows')
      const progress = seen.map(({ progress }) => progress as number)
      t.same(progress, progress.toSorted((a, b) => a - b), 'progress never goes back')
      t.ok(statuses.includes(channel === 'poll' ? 'polling' : 'live'), statuses.join())
      t.equal(client.status.state, 'idle')
      t.match(await client.jobs.wait(job.jobId), { result: { counted: 20 } }, 'a job that has ended')

      const failing = await client.jobs.submit('count', { fail: 'no luck' })
      const failed = await failing.wait().catch((err: unknown) => err) as JobFailedError
      t.ok(failed instanceof JobFailedError)
      t.match(failed, { code: 'job_failed', job: { id: failing.jobId, state: 'failed', failedReason: 'no luck' } })
    })
  }

  t.test(`all events through ${place}`, async t => {
    const client = createClient({ ...options, token: system.token(`events ${place}`) })
    for (const channels of [['websocket'], ['sse']] as Channel[][]) {
      const one = createClient({ ...options, token: system.token(`events ${place}`), channels })
      const events = one.events()
      await events.ready()
      t.match(events.status, { state: 'live', channel: channels[0] })
      const { jobId } = await client.jobs.submit('count', { to: 300, pauseMs: 0 })
      isWhole(t, await readToEnd(events, jobId), 300)
      const since = await client.jobs.submit('count', { to: 5 })
      await since.wait()
      const resumed = one.events({ since: events.cursor })
      const missed = await readToEnd(resumed, since.jobId)
      t.equal(missed.filter(({ type }) => type === 'progress').length, 5, 'what happened meanwhile comes first')
    }
  })
}

for (const channel of ['websocket', 'sse'] as const) {
  t.test(`events over ${channel} survive a SIGKILL of the gateway`, async t => {
    const client = createClient({ url: edge, token: system.token(`killed ${channel}`), channels: [channel] })
    const events = client.events()
    await events.ready()
    const job = await client.jobs.submit('count', { to: 400 })
    const done = job.wait()
    const reading = readToEnd(events, job.jobId)
    await until(() => (events.cursor ?? '') !== '' && events.status.state === 'live')
    await system.process('realtime-gateway-1').kill('SIGKILL')
    await until(() => events.status.state === 'recovering', { what: 'the client to notice' })
    await system.process('realtime-gateway-1').ready()
    isWhole(t, await reading, 400)
    t.match(await done, { result: { counted: 400 } })
  })

  t.test(`events over ${channel} survive a network that is cut again and again`, async t => {
    const proxy = await startTcpProxy(t, edge)
    const client = createClient({ url: proxy.url, token: system.token(`cut ${channel}`), channels: [channel] })
    const events = client.events()
    await events.ready()
    const direct = createClient({ url: edge, token: system.token(`cut ${channel}`) })
    const job = await direct.jobs.submit('count', { to: 800 })
    const done = client.jobs.wait(job.jobId)
    const reading = readToEnd(events, job.jobId)
    for (let n = 0; n < 3; n++) {
      await until(() => events.status.state === 'live')
      proxy.cut()
      await until(() => events.status.state === 'recovering')
      proxy.mend()
    }
    isWhole(t, await reading, 800)
    t.match(await done, { result: { counted: 800 } })
  })
}

t.test('what the server no longer has is a gap, and the watch of a job still comes to its end', async t => {
  const proxy = await startTcpProxy(t, edge)
  const token = system.token('gap')
  const client = createClient({ url: proxy.url, token })
  const direct = createClient({ url: edge, token })
  const events = client.events()
  await events.ready()
  const first = await direct.jobs.submit('count', { to: 3 })
  isWhole(t, await readToEnd(client.events({ since: events.cursor }), first.jobId), 3)
  proxy.cut()
  const job = await direct.jobs.submit('count', { to: 1500, pauseMs: 0 })
  const done = client.jobs.wait(job.jobId)
  await job.wait()
  proxy.mend()
  await until(() => events.status.state === 'live')
  const last = await direct.jobs.submit('count', { to: 3 })
  const read = await readToEnd(events, last.jobId)
  const gaps = read.filter(event => event.type === 'gap')
  t.equal(gaps.length, 1, 'one gap')
  t.match(await done, { result: { counted: 1500 } })
})

t.test('a token that expires is asked for once, and nothing is lost', async t => {
  for (const channel of ['websocket', 'sse'] as const) {
    const user = `expiring ${channel}`
    const reasons: string[] = []
    const client = createClient({
      url: edge,
      channels: [channel],
      token: ({ reason }) => {
        reasons.push(reason)
        return system.token(user, reasons.length === 1 ? 3000 : 3_600_000)
      }
    })
    const events = client.events()
    await events.ready()
    const job = await client.jobs.submit('count', { to: 200, pauseMs: 20 })
    isWhole(t, await readToEnd(events, job.jobId), 200)
    t.same(reasons, ['start', 'expiring'], channel)
    await until(async () => (await job.get()).state === 'completed', { what: 'the row to follow its last event' })
  }
})

t.test('a cancelled job ends its own wait alone, and a result that no event can carry arrives whole', async t => {
  const client = createClient({ url: edge, token: system.token('cancelled') })
  const events = client.events()
  await events.ready()
  const delayed = await client.jobs.submit('count', {}, { delay: 3_600_000 })
  const large = await client.jobs.submit('count', { to: 50, pauseMs: 20, size: 200_000 })
  const cancelled = { code: 'job_failed', job: { id: delayed.jobId, failedReason: 'Cancelled by user' } }
  const refused = t.rejects(delayed.wait(), cancelled)
  const done = large.wait()
  await delayed.cancel()
  await refused
  const { result } = await done
  t.equal((result as { text: string }).text.length, 200_000)
  const ends = (await readToEnd(events, large.jobId)).filter(({ type }) => type === 'failed' || type === 'completed')
  const end = { type: 'completed', jobId: large.jobId, resultTruncated: true }
  t.match(ends, [{ type: 'failed', jobId: delayed.jobId }, end])
  t.equal(ends.length, 2)
})

t.test('a refused token ends streams and requests with one error, without a loop', async t => {
  let calls = 0
  const client = createClient({ url: edge, token: () => `bad${calls++ > 0 ? '' : '.token'}` })
  await t.rejects(client.jobs.counts(), { code: 'unauthorized', status: 401 })
  await t.rejects(client.events().ready(), { code: 'unauthorized' })
  await t.rejects(client.jobs.wait('x'), { code: 'unauthorized' })
  t.ok(calls < 12, `${calls} calls`)
  const fixed = createClient({ url: edge, token: 'bad' })
  await t.rejects(fixed.jobs.list().page(), { code: 'unauthorized', problem: { status: 401 } })
})

t.test('behind a proxy that buffers, jobs are polled until it streams', async t => {
  const proxy = await startBufferingProxy(t, edge)
  const client = createClient({ url: proxy.url, token: system.token('buffered') })
  const statuses: string[] = []
  client.onStatus(({ state, channel }) => statuses.push(`${state} ${channel}`))
  const job = await client.jobs.submit('count', { to: 40, pauseMs: 200 })
  const done = job.wait()
  await until(() => client.status.state === 'polling', { what: 'polling' })
  t.match(await done, { result: { counted: 40 } })
  proxy.mend()
  const other = await client.jobs.submit('count', { to: 20, pauseMs: 100 })
  t.match(await other.wait(), { result: { counted: 20 } })
  t.ok(statuses.includes('live sse'), statuses.join(', '))
})

for (const channel of ['websocket', 'sse'] as const) {
  t.test(`a process that has left its client by break, abort and close ends by itself (${channel})`, async t => {
    const token = system.token(`leaves ${channel}`)
    const client = createClient({ url: edge, token })
    const events = client.events()
    await events.ready()
    // Delayed: it neither ends nor changes, however long the process takes. Its one event has come before the process
    // begins, which waits for an event that does not come.
    const { jobId } = await client.jobs.submit('count', {}, { delay: 3_600_000 })
    for await (const event of events) if (event.type === 'state' && event.state === 'delayed') break
    client.close()
    const entry = fileURLToPath(new URL('./fixtures/use-and-leave.ts', import.meta.url))
    const env = { URL: edge, TOKEN: token, JOB: jobId, CHANNEL: channel }
    const { exited, output } = await spawnService(t, { entry, env })
    t.match(await exited, { code: 0 }, output())
    t.match(output(), /left/)
  })
}
