import { execFile, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { startSystem } from '@tidings/local'
import { freePort, temporaryFolder, until, type TestContext } from '@tidings/testing'
import { createClient, type Gap, type JobEvent } from 'tidings'

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
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, LOG_LEVEL: 'warn' }
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

  t.test('the snippets of the guide are Python', async t => {
    const guide = await readFile(`${folder}../../docs/guides/python.md`, 'utf8')
    const snippets = [...guide.matchAll(/^```python\n([\s\S]*?)^```/gm)].map(([, code]) => code)
    t.ok(snippets.length >= 5)
    const parse = 'import ast, json, sys\nfor code in json.loads(sys.argv[1]): ast.parse(code)'
    await promisify(execFile)(python as string, ['-c', parse, JSON.stringify(snippets)])
  })

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
  const child = spawn(python as string, [`${folder}${file}`, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => { child.kill('SIGKILL') })
  const lines: unknown[] = []
  createInterface({ input: child.stdout }).on('line', line => {
    lines.push(line.startsWith('{') ? JSON.parse(line) : line)
  })
  return { lines }
}
