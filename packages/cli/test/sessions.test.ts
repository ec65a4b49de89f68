import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createClient, type JobSummary } from 'tidings'
import { startReceiver } from '@tidings/testing'
import { testDoctor } from './doctor.ts'
import { buildCli, cliOf } from './run-cli.ts'
import { RAW_PROGRESS, startWorkingSystem } from './system.ts'

// Commands that hold a session, or look at sessions.

const main = await buildCli(t)
const system = await startWorkingSystem(t, 'sessions')
const edge = system.endpoints.edge as string

const asUser = (userId: number) => cliOf(t, main, { TIDINGS_URL: edge, TIDINGS_TOKEN: system.token(userId) })

t.test('events that were missed are printed once, and the next call goes on where the last one ended', async t => {
  const cli = asUser(12)
  const following = cli.start(['events', '--json'])
  // Without --json it would say when it waits; a first event shows that it does.
  const first = await (async () => {
    for (;;) {
      await cli.run(['submit', 'count', '--data', '{"steps":2}', '--watch'])
      if (following.output().stdout !== '') return following
    }
  })()
  await first.shows(/"type":"completed"/)
  const live = first.output().stdout.trim().split('\n').map(line => JSON.parse(line) as { eventId: string })
  const since = live[0]?.eventId as string
  const later = await cli.json(['events', '--since', since]) as { eventId: string }[]
  t.same(later.slice(0, live.length - 1).map(({ eventId }) => eventId), live.slice(1).map(({ eventId }) => eventId))
  t.same(await cli.json(['events', '--since', later.at(-1)?.eventId as string]), [])
  const completions = await cli.json(['events', '--since', since, '--types', 'completed']) as { type: string }[]
  t.ok(completions.length > 0 && completions.every(({ type }) => type === 'completed'))

  following.child.kill('SIGINT')
  t.equal((await following.ended).code, 130)
})

t.test('listen posts what the dispatcher posts, byte for byte, and goes on where the last run ended', async t => {
  const cli = asUser(14)
  const production = await startReceiver(t)
  const local = await startReceiver(t)
  const names = ['naïve "job"', 'count']
  const [webhook] = await cli.json([
    'webhooks', 'create', `${production.url}/hook`, '--events', 'progress,completed,failed', '--names', names.join()
  ]) as { id: number, secret: string }[]
  const client = createClient({ url: edge, token: system.token(14) })
  t.teardown(() => client.close())
  const submit = async (name: string, data: Record<string, unknown>) => {
    await (await client.jobs.submit(name, data)).wait()
  }
  const listenArgs = ['webhooks', 'listen', '--forward-to', `${local.url}/hook`, '--webhook', String(webhook?.id)]
  const first = cli.start(listenArgs)
  await first.shows(/^ready$/m)
  await submit('naïve "job"', { steps: 20, raw: true })
  await submit('other', {})
  await t.rejects(submit('count', { steps: 2, fail: '\u2028 "no" \u0000' }), { code: 'job_failed' })
  await local.waitFor(requests => requests.some(({ body }) => body.includes('"failed"')))
  first.child.kill('SIGKILL')

  // While nothing listens, neither here nor there.
  await local.stop()
  await submit('count', { steps: 3 })
  const second = cli.start(listenArgs)
  await second.shows(/nothing listens at /)
  await local.start()
  await production.waitFor(requests => requests.filter(({ body }) => body.includes('"completed"')).length === 2)
  await local.waitFor(requests => requests.filter(({ body }) => body.includes('"completed"')).length === 2)

  const bodies = (requests: { headers: object, body: string }[]) =>
    Object.fromEntries(requests.map(({ headers, body }) => [(headers as Record<string, string>)['webhook-id'], body]))
  t.same(bodies(local.requests), bodies(production.requests))
  t.ok(local.requests.some(({ body }) => body.includes(RAW_PROGRESS)), 'as the worker wrote it')
  t.notOk(local.requests.some(({ body }) => body.includes('other')), 'of the jobs that the webhook takes')
  const headersOf = ({ headers }: { headers: object }) =>
    Object.keys(headers).filter(name => /^webhook-|content-type/.test(name)).sort()
  t.same(headersOf(local.requests[0] as { headers: object }), headersOf(production.requests[0] as { headers: object }))
  for (const { headers, body } of local.requests) {
    const args = ['id', 'timestamp', 'signature'].flatMap(name => [`--${name}`, headers[`webhook-${name}`] as string])
    if (body.includes('"progress"') && !body.includes(RAW_PROGRESS)) continue // one of each kind is enough
    t.match(await cli.run(['verify', '--secret', webhook?.secret as string, ...args], { input: body }), { code: 0 })
  }
})

t.test('listen without a webhook keeps a secret of its own, and retries where it is asked to', async t => {
  const cli = asUser(15)
  const local = await startReceiver(t, () => local.requests.length === 1 ? 500 : 200)
  const args = ['webhooks', 'listen', '--forward-to', local.url]
  const [{ secret }] = await cli.json([...args, '--print-secret']) as [{ secret: string }]
  t.same(await cli.json([...args, '--print-secret']), [{ secret }])
  const listening = cli.start([...args, '--events', 'completed', '--retry'])
  await listening.shows(/^ready$/m)
  await cli.run(['submit', 'count', '--watch'])
  const [failed, repeated] = await local.waitFor(2)
  t.same([failed?.headers['webhook-attempt'], repeated?.headers['webhook-attempt']], ['1', '2'])
  t.equal(failed?.headers['webhook-id'], repeated?.headers['webhook-id'])
  await listening.shows(/200 {2}completed .* attempt 2/)
})

t.test('a watch ends with Ctrl-C, and its output may be cut off', async t => {
  const cli = asUser(19)
  const delayed = (await cli.run(['submit', 'count', '--delay', '1h'])).stdout.trim()
  const watching = cli.start(['watch', delayed])
  await watching.shows(/^delayed/m)
  watching.child.kill('SIGINT')
  t.equal((await watching.ended).code, 130)

  const all = cli.start(['watch', '--all'])
  await all.shows(/waiting for events/)
  all.child.stdout?.destroy()
  await cli.run(['submit', 'count', '--data', '{"steps":50}', '--watch'])
  t.match(await Promise.race([all.ended, sleep(30_000)]), { code: 0 })
})

t.test('a list is followed: jobs that come and change are printed once each, though the gateway is killed', async t => {
  const cli = asUser(21)
  const client = createClient({ url: edge, token: system.token(21) })
  t.teardown(() => client.close())
  const submit = async (name: string, data: Record<string, unknown> = {}) =>
    (await client.jobs.submit(name, data)).jobId
  const early = await submit('count')
  await client.jobs.wait(early)
  const following = cli.start(['jobs', '--follow', '--name', 'count', '--json'])
  const failures = cli.start(['jobs', 'ls', '--follow', '--status', 'failed', '--q', 'LUCK'])
  const rows = () => following.output().stdout.split('\n').slice(0, -1).map(line => JSON.parse(line) as JobSummary)
  const last = (id: string) => rows().findLast(job => job.id === id)
  await following.shows(new RegExp(early))
  await failures.shows(/waiting for changes/)
  t.match(rows(), [{ id: early, state: 'completed' }])

  const live = await submit('count', { steps: 20 })
  await following.shows(new RegExp(`"${live}".*"completed"`))
  await system.process('realtime-gateway-1').kill('SIGKILL')
  const meanwhile = await submit('count', { steps: 3 })
  const failed = await submit('count', { fail: 'no luck' })
  await submit('other', { fail: 'bad luck' })
  await submit('count', { fail: 'another reason' })
  await system.process('realtime-gateway-1').ready()
  await following.shows(new RegExp(`"${meanwhile}".*"completed"`))
  await failures.shows(/other +default +failed/)
  await failures.shows(new RegExp(`^${failed} +count +default +failed`, 'm'))
  await following.shows(new RegExp(`"${failed}".*"failed"`))
  await client.jobs.retry(failed)
  await following.shows(new RegExp(`"${failed}".*"failed"[^]*"${failed}".*"failed"`))

  const all = rows()
  t.same([live, meanwhile, failed].map(id => last(id)?.state), ['completed', 'completed', 'failed'])
  t.same(all.filter(({ name }) => name !== 'count'), [])
  const versions = all.map(({ id, lastEventId }) => `${id} ${lastEventId}`)
  t.equal(new Set(versions).size, versions.length, 'no state is printed twice')
  t.same(Object.keys(all.at(-1) ?? {}), Object.keys((await client.jobs.list().page()).jobs[0] ?? {}), 'as in a list')
  t.notMatch(failures.output().stdout, new RegExp(`${early}|${live}|${meanwhile}`))

  following.child.kill('SIGINT')
  t.equal((await following.ended).code, 130)
  t.match(await cli.run(['jobs', '--follow', '--sort', 'finished']), { code: 2, stderr: /leave out --sort/ })
})

testDoctor(t, main, system)
