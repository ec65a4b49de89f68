import { readFile, stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'bullmq'
import { Redis } from 'ioredis'
import t from 'tap'
import { startSystem } from '@tidings/local'
import { startReceiver, temporaryFolder } from '@tidings/testing'
import { buildCli, cliOf } from './run-cli.ts'

const main = await buildCli(t)
const system = await startSystem({
  folder: temporaryFolder(t, 'cli'),
  ports: 'free',
  report: () => {},
  worker: false,
  env: { PATH: process.env.PATH, HOME: process.env.HOME, LOG_LEVEL: 'warn' }
})
t.teardown(() => system.stop())
const { edge, redis } = system.endpoints as Record<'edge' | 'redis', string>

/** Its progress and result are such that JavaScript would write them differently: as another language's worker does. */
const RAW_PROGRESS = '{"z":1.0,"10":12345678901234567890,"a":"\\u00e9"}'
const redisClient = new Redis(redis)
t.teardown(() => { redisClient.disconnect() })
const worker = new Worker('default', async job => {
  const { steps = 1, fail, raw } = job.data as { steps?: number, fail?: string, raw?: boolean }
  for (let step = 1; step <= steps; step++) await job.updateProgress(Math.round(step / steps * 100))
  if (raw) {
    const entry = { event: 'progress', jobId: job.id as string, data: RAW_PROGRESS }
    await redisClient.xadd('bull:default:events', '*', ...Object.entries(entry).flat())
  }
  if (fail) throw new Error(fail)
  return { steps, 2: [0.1, 1e21, '😀'] }
}, { connection: { url: redis }, concurrency: 4 })
worker.on('error', () => {})
t.teardown(() => worker.close(true))

const asUser = (userId: number) => cliOf(t, main, { TIDINGS_URL: edge, TIDINGS_TOKEN: system.token(userId) })

t.test('jobs are submitted, watched, listed and shown', async t => {
  const cli = asUser(11)
  const submitted = await cli.run(['submit', 'count', '--data', '{"steps":3}', '--watch'])
  t.equal(submitted.code, 0, submitted.stderr)
  t.match(submitted.stdout, /^completed 100% count [\w-]+ .*\{"2":\[0\.1,1e\+21,"😀"\],"steps":3\}$/m)

  const failed = await cli.run(['submit', 'count', '--data', '{"fail":"no \\u001b[31mluck"}', '--watch'])
  t.equal(failed.code, 1)
  t.match(failed.stdout, /^failed .*no �\[31mluck$/m)

  const [job] = await cli.json(['jobs', '--status', 'failed']) as { id: string }[]
  t.match(job, { name: 'count', state: 'failed' })
  const id = job?.id as string
  t.match((await cli.run(['jobs', 'get', id])).stdout, /^state {5}failed$/m)
  t.match((await cli.run(['jobs', 'get', id, '--data'])).stdout, /^data {6}\{"fail":/m)
  t.match((await cli.json(['jobs', 'events', id])).map(event => (event as { type: string }).type),
    ['added', 'waiting', 'active', 'failed'])
  t.match((await cli.run(['jobs', 'attempts', id])).stdout, /^ATTEMPT +STARTED .*\n1 +\d{4}-\S+ .* failed +no �\[31mluck$/m)
  t.match(await cli.json(['counts']), [{ completed: 1, failed: 1 }])
  t.match((await cli.run(['jobs', '--since', '1h', '--limit', '1'])).stdout, /^ID .*\n\S+ .*failed/)
  t.equal((await cli.run(['jobs', '--until', '1h'])).stdout, '')

  const [, completed = ''] = /^completed .*? count (\S+)/m.exec(submitted.stdout) ?? []
  const whole = await cli.json(['jobs', 'events', completed, '--progress'])
  t.match(whole.slice(-2), [{ type: 'progress', progress: 100 }, { type: 'completed' }])

  t.match(await cli.json(['jobs', '--q', 'LUCK', '--status', 'failed,completed', '--sort', 'finished']), [{ id }])

  const again = await cli.run(['jobs', 'retry', id])
  t.equal(again.code, 0, again.stderr)
  t.equal((await cli.run(['watch', id])).code, 1)
})

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

t.test('webhooks are managed, and their deliveries shown and repeated', async t => {
  const cli = asUser(13)
  const receiver = await startReceiver(t)
  const [made] = await cli.json([
    'webhooks', 'create', `${receiver.url}/hook`, '--events', 'all', '--header', 'x-one: 1', '--header', 'x-two: 2'
  ]) as { id: number, secret: string }[]
  const { id, secret } = made as { id: number, secret: string }
  t.equal((await cli.run(['webhooks', 'secret', String(id)])).stdout.trim(), secret)
  await cli.run(['submit', 'count', '--watch'])
  const [request] = await receiver.waitFor(requests => requests.some(({ body }) => body.includes('completed')))
  t.match(request?.headers, { 'x-one': '1', 'x-two': '2' })

  const [delivery] = await cli.json(['webhooks', 'deliveries', String(id), '--limit', '1']) as { id: number }[]
  t.match((await cli.run(['deliveries', 'get', String(delivery?.id)])).stdout, /attempt 1 at .*: 200/)
  const jobId = (delivery as unknown as { jobId: string }).jobId
  t.match(await cli.json(['jobs', 'deliveries', jobId]), [{ webhookId: id, status: 'delivered' }])
  t.match(await cli.json(['deliveries', '--job', jobId, '--types', 'completed', '--since', '1h']), [{ jobId }])
  t.match((await cli.run(['webhooks', 'stats', String(id)])).stdout, /^total +[1-9]/m)
  const before = receiver.requests.length
  t.equal((await cli.run(['deliveries', 'redeliver', String(delivery?.id)])).code, 0)
  await receiver.waitFor(before + 1)

  t.match((await cli.run(['webhooks', 'pause', String(id)])).stdout, /is paused/)
  t.match((await cli.run(['webhooks', 'ls'])).stdout, /paused/)
  t.match((await cli.run(['webhooks', 'resume', String(id)])).stdout, /is active/)
  const replay = await cli.run(['webhooks', 'replay', String(id), '--since', '1h'])
  t.match(replay.stdout, /^replay \d+ of webhook/, replay.stderr)
  t.not((await cli.run(['webhooks', 'rotate-secret', String(id)])).stdout.trim(), secret)
  t.equal((await cli.run(['webhooks', 'rm', String(id)])).code, 0)
  t.equal((await cli.run(['webhooks', 'get', String(id)])).code, 4)

  const { headers, body, url } = request as { headers: Record<string, string>, body: string, url: string }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  const raw = `${[`POST ${url} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n${body}`
  t.match(await cli.run(['verify', '--secret', secret], { input: raw }), { code: 0, stdout: /^valid: event / })
  t.match(await cli.run(['verify', '--secret', secret], { input: `${raw} ` }), { code: 1, stdout: /^not valid/ })
})

t.test('listen posts what the dispatcher posts, byte for byte, and goes on where the last run ended', async t => {
  const cli = asUser(14)
  const production = await startReceiver(t)
  const local = await startReceiver(t)
  const [webhook] = await cli.json(['webhooks', 'create', `${production.url}/hook`, '--events', 'all']) as { id: number, secret: string }[]
  const listenArgs = ['webhooks', 'listen', '--forward-to', `${local.url}/hook`, '--webhook', String(webhook?.id)]
  const first = cli.start(listenArgs)
  await first.shows(/^ready$/m)
  await cli.run(['submit', 'naïve "job"', '--data', '{"steps":20,"raw":true}', '--watch'])
  await cli.run(['submit', 'count', '--data', '{"steps":2,"fail":"\\u2028 \\"no\\" \\u0000"}', '--watch'])
  await local.waitFor(requests => requests.some(({ body }) => body.includes('"failed"')))
  first.child.kill('SIGKILL')

  // While nothing listens, neither here nor there.
  await local.stop()
  await cli.run(['submit', 'count', '--data', '{"steps":3}', '--watch'])
  const second = cli.start(listenArgs)
  await second.shows(/nothing listens at /)
  await local.start()
  await production.waitFor(requests => requests.filter(({ body }) => body.includes('"completed"')).length === 2)
  await local.waitFor(requests => requests.filter(({ body }) => body.includes('"completed"')).length === 2)

  const bodies = (requests: { headers: object, body: string }[]) =>
    Object.fromEntries(requests.map(({ headers, body }) => [(headers as Record<string, string>)['webhook-id'], body]))
  t.same(bodies(local.requests), bodies(production.requests))
  t.ok(local.requests.some(({ body }) => body.includes(RAW_PROGRESS)), 'as the worker wrote it')
  const names = ({ headers }: { headers: object }) => Object.keys(headers).filter(name => /^webhook-|content-type/.test(name)).sort()
  t.same(names(local.requests[0] as { headers: object }), names(production.requests[0] as { headers: object }))
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

t.test('many jobs and deliveries are acted on at once, after a count', async t => {
  const cli = asUser(20)
  const receiver = await startReceiver(t, () => 410)
  await cli.run(['webhooks', 'create', receiver.url, '--events', 'failed'])
  for (let n = 0; n < 3; n++) await cli.run(['submit', 'many', '--data', '{"fail":"no luck"}', '--watch'])
  await cli.run(['submit', 'other', '--watch'])
  const select = ['--status', 'failed', '--name', 'many', '--since', '1h']
  t.same(await cli.json(['jobs', 'retry', ...select, '--dry-run']), [{ matched: 3 }])
  t.match(await cli.run(['jobs', 'retry', ...select]), { code: 2, stderr: /--yes is needed/ })
  t.match(await cli.run(['jobs', 'retry', 'x', ...select]), { code: 2, stderr: /takes ids, or options/ })
  const retried = await cli.run(['jobs', 'retry', ...select, '--yes'])
  t.match(retried, { code: 0, stdout: /retry finished: 3 of 3 done, 0 failed, 0 skipped/ })
  t.match(await cli.json(['bulk']), [{ action: 'retry', state: 'finished', matched: 3, done: 3 }])
  t.match(await cli.run(['deliveries', 'redeliver', '--status', 'pending', '--dry-run']), {
    code: 2, stderr: /body\.filter\.status: redeliver applies to these only/
  })
  t.match(await cli.run(['deliveries', 'redeliver', '--status', 'failed', '--dry-run']), { code: 0, stdout: /^\d+ match$/m })

  const [job] = await cli.json(['jobs', '--name', 'other']) as { id: string }[]
  const again = (await cli.run(['jobs', 'resubmit', job?.id as string, '--data', '{"steps":2}'])).stdout.trim()
  t.equal((await cli.run(['watch', again])).code, 0)
})

t.test('login keeps a server and tokens in a file of the user alone, and renews them', async t => {
  const cli = cliOf(t, main)
  const ended = system.token(16, -60_000)
  t.match(await cli.run(['login', '--url', edge, '--token', ended]), { code: 3, stderr: /HTTP 401/ })
  t.match(await cli.run(['whoami']), { code: 2, stderr: /Which server\?/ })
  const login = await cli.run(['login', '--url', edge, '--token', '-', '--refresh-token', system.refreshToken(16)], { input: `${ended}\n` })
  t.match(login, { code: 0, stdout: /^user 16 at / })
  const path = `${cli.home}/config/tidings/config.json`
  t.equal((await stat(path)).mode & 0o777, 0o600)
  const saved = JSON.parse(await readFile(path, 'utf8')) as { profiles: { default: { token: string } } }
  const token = (await cli.run(['token'])).stdout.trim()
  t.not(token, ended)
  t.equal((await cli.run(['whoami', '--token', token])).code, 0)
  t.ok(saved.profiles.default.token)
  t.match(await cli.run(['whoami', '--profile', 'other']), { code: 2, stderr: /no profile other/ })
  t.equal((await cli.run(['logout'])).code, 0)
  t.equal((await cli.run(['logout'])).code, 4)
})

t.test('an operator names the user whom it is about', async t => {
  await asUser(17).run(['submit', 'count', '--watch'])
  const operator = cliOf(t, main, { TIDINGS_URL: edge, TIDINGS_TOKEN: system.token('op', undefined, 'operator:read') })
  t.match(await operator.json(['counts', '--user', '17']), [{ completed: 1 }])
  t.equal((await operator.json(['jobs', '--user', '17'])).length, 1)
  t.match(await operator.run(['submit', 'count', '--user', '17']), { code: 3, stderr: /operator:write/ })
})

t.test('what is wrong has an exit code and says what and where', async t => {
  const cli = asUser(18)
  const wrong: [string[], number, RegExp][] = [
    [['jobs', '--limit', '0'], 2, /--limit takes an integer from 1 to 10000, not 0/],
    [['jobs', '--bad'], 2, /no option --bad/],
    [['jobs', 'get'], 2, /ID/],
    [['jobs', 'get', '1', '2'], 2, /What is 2\?/],
    [['jobs', '--status', 'lost'], 2, /status/],
    [['frob'], 2, /Unknown command frob/],
    [['submit', 'x', '--data', '[1]'], 2, /--data takes a JSON object/],
    [['submit', 'x', '--data', '{'], 2, /--data is not JSON/],
    [['submit', 'x', '--data', '@/nowhere'], 2, /\/nowhere cannot be read/],
    [['submit', 'x', '--attempts', '0'], 2, /attempts/],
    [['events', '--since', 'yesterday'], 2, /--since takes the id of an event/],
    [['watch'], 2, /ids of jobs, or --all/],
    [['jobs', 'get', 'nothing'], 4, /HTTP 404/],
    [['whoami', '--token', 'x'], 3, /HTTP 401/],
    [['whoami', '--url', 'http://127.0.0.1:2'], 5, /ECONNREFUSED/],
    [['whoami', '--url', 'nowhere'], 2, /not the address of a server/]
  ]
  for (const [args, code, text] of wrong) {
    const ran = await cli.run(args)
    t.match(ran, { code, stderr: text, stdout: '' }, args.join(' '))
  }
  const { code, stderr } = await cli.run(['jobs', 'get', 'nothing', '--json'])
  t.match({ code, ...JSON.parse(stderr) as object }, { code: 4, error: { code: 'not_found', status: 404 } })
  t.match(await cli.run([]), { code: 2, stderr: /USAGE tidings/ })
  t.match(await cli.run(['jobs', '--help']), { code: 0, stdout: /retry/ })
  t.match(await cli.run(['--version']), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ })
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
