import { readFile, stat, writeFile } from 'node:fs/promises'
import t from 'tap'
import { startReceiver } from '@tidings/testing'
import { buildCli, cliOf } from './run-cli.ts'
import { SECRETS, startWorkingSystem } from './system.ts'

const main = await buildCli(t)
const system = await startWorkingSystem(t, 'cli')
const edge = system.endpoints.edge as string

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
  t.match((await cli.run(['webhooks', 'ls'])).stdout, /paused +all +ok /)
  t.match((await cli.run(['webhooks', 'resume', String(id)])).stdout, /is active/)
  const replay = ['webhooks', 'replay', String(id), '--since', '1h']
  t.same(await cli.json([...replay, '--status', 'failed', '--dry-run']), [{ matched: 0 }])
  const replayed = await cli.run([...replay, '--until', '0s', '--types', 'completed'])
  t.match(replayed.stdout, /^replay \d+ of webhook/, replayed.stderr)
  const listed = [{ webhookId: id, conditions: { eventTypes: ['completed'] } }]
  t.match(await cli.json(['webhooks', 'replays', String(id)]), listed)
  const update = ['webhooks', 'update', String(id)]
  t.match(await cli.json([...update, '--events', 'completed,failed', '--names', 'a,b', '--queues', 'default']), [
    { eventTypes: ['completed', 'failed'], filter: { queues: ['default'], names: ['a', 'b'] } }
  ])
  const [{ filter }] = await cli.json([...update, '--names=']) as [{ filter: object }]
  t.same(filter, { queues: ['default'] })
  t.not((await cli.run(['webhooks', 'rotate-secret', String(id)])).stdout.trim(), secret)
  t.equal((await cli.run(['webhooks', 'rm', String(id)])).code, 0)
  t.equal((await cli.run(['webhooks', 'get', String(id)])).code, 4)

  const { headers, body, url } = request as { headers: Record<string, string>, body: string, url: string }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  const raw = `${[`POST ${url} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n${body}`
  t.match(await cli.run(['verify', '--secret', secret], { input: raw }), { code: 0, stdout: /^valid: event / })
  t.match(await cli.run(['verify', '--secret', secret], { input: `${raw} ` }), { code: 1, stdout: /^not valid/ })
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
  const ran = await cli.runMany(wrong.map(([args]) => args))
  for (const [n, [args, code, text]] of wrong.entries()) {
    t.match(ran[n], { code, stderr: text, stdout: '' }, args.join(' '))
  }
  const [missing, none, early, help, jobsHelp, version] = await cli.runMany([
    ['jobs', 'get', 'nothing', '--json'], [], ['--url', edge, 'whoami'], ['help'], ['help', 'jobs', 'ls'], ['--version']
  ])
  t.match({ code: missing?.code, ...JSON.parse(missing?.stderr ?? '') as object }, {
    code: 4, error: { code: 'not_found', status: 404 }
  })
  t.match(none, { code: 2, stderr: /USAGE tidings/ })
  t.match(early, { code: 2, stderr: /^error: --url stands where a command is expected: options follow it\n/ })
  t.match(help, { code: 0, stdout: /USAGE tidings [^]*\n\nEXIT CODES\n\n {2}0 {4}done\n/ })
  t.match(jobsHelp, { code: 0, stdout: /USAGE tidings jobs ls .*[^]*--follow/ })
  t.match(version, { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ })
})

t.test('tokens are signed as the services take them', async t => {
  const cli = cliOf(t, main, { TIDINGS_URL: edge })
  const sign = ['token', '--user', '22', '--scope', 'jobs:read,operator:read', '--expires-in', '5m', '--refresh']
  const signed = await cli.run(sign, { env: SECRETS })
  t.match(signed, { code: 0, stderr: 'user 22; ends in 5m\n' })
  const [token = '', refreshToken = ''] = signed.stdout.trim().split('\n')
  const login = ['login', '--token', token, '--refresh-token', refreshToken, '--json']
  const { stdout } = await cli.run(login)
  const me = JSON.parse(stdout) as { expiresAt: number }
  t.match(me, { userId: 22, scopes: ['jobs:read', 'operator:read'] })
  t.ok(me.expiresAt < Date.now() + 5 * 60_000)

  t.match(await cli.run(['token', '--user', '7']), { code: 2, stdout: '', stderr: /TOKEN_SECRET is not set/ })
  const { TOKEN_SECRET } = SECRETS
  const wrong: [string[], RegExp][] = [
    [['token', '--user', '7', '--refresh'], /REFRESH_TOKEN_SECRET is not set/],
    [['token', '--user', '7', '--scope', 'jobs:raed'], /scopes are jobs:read, .* not jobs:raed/],
    [['token', '--user', '7', '--expires-in', '0s'], /--expires-in takes a duration/],
    [['token', '--user', '\u0007'], /printable/],
    [['token', '--scope', 'jobs:read'], /--scope is for a token that is signed here/]
  ]
  const ran = await cli.runMany(wrong.map(([args]) => args), { TOKEN_SECRET })
  for (const [n, [args, text]] of wrong.entries()) {
    t.match(ran[n], { code: 2, stdout: '', stderr: text }, args.join(' '))
  }
})

t.test('open hands the browser the address of a page, and no secret', async t => {
  const cli = cliOf(t, main, { TIDINGS_URL: 'https://tidings.example/base', TIDINGS_TOKEN: 'a.hidden.token' })
  const browser = `${cli.home}/browser`
  await writeFile(browser, '#!/bin/sh\nprintf "%s\\n" "$@" > "$HOME/seen"\nenv >> "$HOME/seen"\n', { mode: 0o755 })
  const page = 'https://tidings.example/base/dashboard/jobs/a%2Fb%20c?queue=x'
  const opened = await cli.run(['open', 'jobs/a/b c', '--queue', 'x'], { env: { BROWSER: browser } })
  t.match(opened, { code: 0, stdout: `${page}\n`, stderr: /tidings token/ })
  const seen = await readFile(`${cli.home}/seen`, 'utf8')
  t.equal(seen.slice(0, page.length + 1), `${page}\n`)
  t.notMatch(seen, /hidden/)

  const pages: [string[], string][] = [
    [['open'], '/dashboard/'],
    [['open', '--print', 'webhooks/3', '--base', '/'], '/webhooks/3'],
    [['open', '--print', 'deliveries', '--user', 'a/b'], '/dashboard/as/a%2Fb/deliveries']
  ]
  const noPages = ['users', 'webhooks/x', 'operators/1'].map(page => ['open', page])
  const ran = await cli.runMany([...pages.map(([args]) => [...args, '--json']), ...noPages])
  for (const [n, [args, path]] of pages.entries()) {
    const stdout = `${JSON.stringify({ url: `https://tidings.example/base${path}`, opened: false })}\n`
    t.match(ran[n], { code: 0, stdout }, args.join(' '))
  }
  for (const { code } of ran.slice(pages.length)) t.equal(code, 2)
})
