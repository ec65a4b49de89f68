import { execFile, spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { startSystem } from '@tidings/local'
import { freePort, temporaryFolder, until, type TestContext } from '@tidings/testing'
import { createClient, type Gap, type JobEvent } from 'tidings'
import { guideSnippets, programs } from './guide.ts'

const python = process.env.TIDINGS_TEST_PYTHON
const folder = fileURLToPath(new URL('..', import.meta.url))
const BELOW = 20_000
const RESULT = { primes: 2262, largest: 19_997 }

t.test('the packages are those that the tests install', async t => {
  const linesOf = async (path: string) => (await readFile(`${folder}${path}`, 'utf8')).trim().split('\n')
  const installed = await linesOf('../../infra/local/src/setup/python-requirements.txt')
  t.same((await linesOf('requirements.txt')).filter(line => !installed.includes(line)), [])
})

t.test('Python', {
  skip: !python && 'no Python with BullMQ: TIDINGS_TEST_PYTHON=true npm test installs it'
}, async t => {
  const scripts = temporaryFolder(t, 'python-guide')
  const env = {
    PATH: process.env.PATH, HOME: process.env.HOME, LOG_LEVEL: 'warn', JOB_QUEUES: 'default,reports,cancellable'
  }
  const system = await startSystem({
    folder: temporaryFolder(t, 'python'), ports: 'free', report: () => {}, worker: false, env
  })
  t.teardown(() => system.stop())
  const { edge, redis } = system.endpoints as Record<'edge' | 'redis', string>
  const access = { TIDINGS_URL: edge, TIDINGS_TOKEN: system.token(1) }
  const client = createClient({ url: edge, token: access.TIDINGS_TOKEN })
  t.teardown(() => client.close())

  const worker = start(t, 'worker.py', { REDIS_URL: redis })
  await until(() => worker.lines.length > 0, { what: 'the worker to start' })
  const submit = async (name: string, data: object) =>
    (await run('submit.py', [name, JSON.stringify(data)], access)).stdout.trim()

  /** Starts a program that is made of snippets of the guide. */
  async function startProgram (t: TestContext, name: keyof typeof programs, env: Record<string, string>) {
    const file = join(scripts, `guide_${name}.py`) // a name of its own: submit.py is imported
    await writeFile(file, programs[name](await guideSnippets()))
    return start(t, file, { PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1', TIDINGS_URL: edge, ...env })
  }

  t.test('jobs are submitted and processed, with progress', async t => {
    const job = await client.jobs.wait(await submit('countPrimes', { below: BELOW }))
    t.match(job, { name: 'countPrimes', progress: 100, result: RESULT })
    await t.rejects(client.jobs.wait(await submit('countPrimes', { below: 1 })), { message: /integer from 2/ })
    await t.rejects(client.jobs.wait(await submit('other', {})), { message: /jobs named other/ })
    const refused = await run('submit.py', ['x', '{}', 'none'], access).catch((err: unknown) => err)
    t.match(refused, { code: 1, stderr: /HTTP 400: .*body\.queue/ })
    t.match(await run('submit.py', ['x', '{}'], { ...access, TIDINGS_TOKEN: 'bad' }).catch((err: unknown) => err), {
      code: 1, stderr: /HTTP 401/
    })
  })

  t.test('the worker, the submit and the events of the guide run', async t => {
    await using events = client.events()
    await events.ready()
    const env = { TOKEN: access.TIDINGS_TOKEN, CURSOR: events.cursor as string }
    const workers = await startProgram(t, 'workers', { REDIS_URL: redis })
    await until(() => workers.lines.length > 0, { what: 'the workers to start' })
    const reader = await startProgram(t, 'follow', env)
    const submitted = await startProgram(t, 'submit', env)
    await until(() => submitted.lines.length > 0)
    const refused = client.jobs.wait((submitted.lines[0] as { jobId: string }).jobId)
    await t.rejects(refused, { message: /data\.file is missing/ })
    const job = await client.jobs.submit('monthly', { file: 'a.csv' }, { queue: 'reports' })
    t.match(await job.wait(), { progress: 100, result: { rows: 42 } })
    await until(() => reader.lines.length > 0)
    t.same(reader.lines, [{ jobId: job.jobId, result: { rows: 42 } }], 'its completion')

    const active = await client.jobs.submit('any', {}, { queue: 'cancellable' })
    await until(async () => (await active.get()).state === 'active', { what: 'the worker to take the job' })
    await active.cancel()
    await t.rejects(active.wait(), { message: /Cancelled by user/ })
  })

  t.test('each event is read once and in order, though the gateway is killed, and again after a restart', async t => {
    await using events = client.events()
    await events.ready()
    const since = events.cursor as string
    const expected: (JobEvent | Gap)[] = []
    const first = start(t, 'follow.py', access, [since])
    const jobId = await submit('countPrimes', { below: BELOW })
    await until(() => first.lines.length > 0)
    await system.process('realtime-gateway-1').kill('SIGKILL')
    const later = await submit('countPrimes', { below: BELOW })
    for await (const event of events) {
      expected.push(event)
      const ends = expected.filter(({ type }) => type === 'completed')
      if (ends.length === 2) break
    }
    t.ok([jobId, later].every(id => expected.some(event => event.type !== 'gap' && event.jobId === id)))
    await until(() => first.lines.length >= expected.length, { what: 'follow.py to read as many' })
    t.same(first.lines, expected)

    const half = expected[Math.floor(expected.length / 2)] as JobEvent
    const second = start(t, 'follow.py', access, [half.eventId])
    const rest = expected.slice(expected.indexOf(half) + 1)
    await until(() => second.lines.length >= rest.length, { what: 'follow.py to go on' })
    t.same(second.lines, rest)
  })

  t.test('what the server no longer has is a gap', async () => {
    const reader = start(t, 'follow.py', access, ['1-0'])
    await until(() => reader.lines.length > 0)
    t.match(reader.lines[0], { type: 'gap', from: '1-0', to: /^\d+-\d+$/ })
  })

  t.test('Flask receives what it has verified, once', async t => {
    const port = await freePort()
    const url = `http://127.0.0.1:${port}/hook`
    const { id, secret } = await client.webhooks.create({ url, eventType: 'completed' })
    const receiver = await startProgram(t, 'flask', { PORT: String(port), WEBHOOK_SECRET: secret })
    await until(async () => await fetch(url).catch(() => false), { what: 'Flask to start' })
    const unsigned = await fetch(url, { method: 'POST', body: '{}' })
    t.match([unsigned.status, await unsigned.text()], [401, /webhook-timestamp/])
    const jobId = await submit('countPrimes', { below: 100 })
    await until(() => receiver.lines.length > 0)
    const delivered = async () => (await client.webhooks.deliveries(id, { status: 'delivered' }).page()).deliveries
    const [first] = await until(async () => { const all = await delivered(); return all.length > 0 && all })
    await client.deliveries.redeliver(first?.id as number)
    await until(async () => (await delivered()).length === 2)
    await client.webhooks.delete(id)
    t.match(receiver.lines, [{ id: jobId, jobname: 'countPrimes', eventType: 'completed', result: { primes: 25 } }])
    t.equal(receiver.lines.length, 1)
  })

  t.test('deliveries are verified, and printed once', async t => {
    const port = await freePort()
    const url = `http://127.0.0.1:${port}/`
    const { id, secret } = await client.webhooks.create({ url, eventType: 'completed' })
    const receiver = start(t, 'receive.py', { PORT: String(port), WEBHOOK_SECRET: secret })
    await until(async () => await fetch(url, { method: 'POST', body: '' }).catch(() => false))
    const signed = { 'webhook-id': '1-0', 'webhook-timestamp': String(Math.floor(Date.now() / 1000)) }
    const other = { ...signed, 'webhook-signature': 'v1,AAAA v1,é' }
    for (const headers of [{}, signed, other] as Record<string, string>[]) {
      t.equal((await fetch(url, { method: 'POST', body: '{}', headers })).status, 401)
    }
    const jobId = await submit('countPrimes', { below: 100 })
    await until(() => receiver.lines.length > 0)
    // The outcome is written after the response.
    const newest = async () => (await client.webhooks.deliveries(id).page()).deliveries[0]
    await until(async () => (await newest())?.status === 'delivered')
    const again = await client.deliveries.redeliver((await newest())?.id as number)
    await until(async () => (await client.deliveries.get(again.id)).status === 'delivered')
    t.match(receiver.lines, [
      { eventId: /^\d+-\d+$/, id: jobId, jobname: 'countPrimes', userId: 1, eventType: 'completed', result: { primes: 25 } }
    ])
    t.equal(receiver.lines.length, 1)
  })
})

/** Runs one of the files to its end; rejects where it exits with another code than 0. */
async function run (file: string, args: string[], env: Record<string, string>) {
  return await promisify(execFile)(python as string, [`${folder}${file}`, ...args], { env })
}

/** Starts one of the files; it is ended with the test. `lines`: what it has printed, JSON as its value. */
function start (t: TestContext, file: string, env: Record<string, string>, args: string[] = []) {
  const child = spawn(python as string, [resolve(folder, file), ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => { child.kill('SIGKILL') })
  const lines: unknown[] = []
  createInterface({ input: child.stdout }).on('line', line => {
    lines.push(line.startsWith('{') ? JSON.parse(line) : line)
  })
  return { lines }
}
