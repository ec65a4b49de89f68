import { once } from 'node:events'
import { accessSync, constants, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import { chromium, type BrowserContext, type Page } from 'playwright-core'
import t from 'tap'
import { temporaryFolder, tokenOf, until, type TestContext } from '@tidings/testing'
import { startGateway, startReplica, startSurroundings } from './setup/gateway.ts'

const readText = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const CLIENT_SNIPPET = readText('fixtures/client-snippet.txt')
const ERRORS_SNIPPET = readText('fixtures/client-errors-snippet.txt')
const BROWSERS_OWN = /^Access to XMLHttpRequest|^Failed to load resource/

const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'
]
const executablePath = process.env.TIDINGS_TEST_CHROMIUM ?? onPath('chromium')
const skip = executablePath === undefined && 'no Chromium: set TIDINGS_TEST_CHROMIUM'

t.test('the snippets are those of the documentation', async t => {
  const documentation = readText('../../../docs/job-notifications.md')
  for (const snippet of [CLIENT_SNIPPET, ERRORS_SNIPPET]) t.ok(documentation.includes(snippet))
})

t.test('pages of a browser', { skip }, async t => {
  const [ours, theirs] = [await startPage(t), await startPage(t)]
  const surroundings = await startSurroundings(t)
  const { jobs } = surroundings
  const { url } = await startGateway(t, surroundings, { CORS_ORIGIN: ours })
  const browser = await chromium.launchPersistentContext(
    temporaryFolder(t, 'chromium'), { executablePath: executablePath as string, args: FLAGS, headless: true }
  )
  t.teardown(() => browser.close())
  const job = { userId: '1', jobId: 'job123' }
  await jobs.publish({ ...job, type: 'active' })

  t.test('the client snippet of the documentation receives all of its events from an allowed origin', async t => {
    const page = await browser.newPage()
    const lines = printed(page)
    await page.goto(`${ours}/snippets?${asQuery({ url, token: tokenOf(1) })}`)
    await jobs.receiver.waitFor(
      requests => requests.some(({ body }) => body.includes(job.jobId)), { what: 'its subscription' }
    )
    await jobs.publish(
      { ...job, progress: 0 }, { ...job, progress: 50 }, { ...job, type: 'completed', result: { rows: 3 } },
      { userId: '2', jobId: 'theirs', progress: 99 },
      { ...job, jobId: 'other', progress: 10 }, { ...job, jobId: 'other', type: 'failed', error: 'no such file' }
    )
    await until(() => lines.length >= 5, { what: `five lines; ${JSON.stringify(lines)} came` })
    t.same(lines, [
      'Job job123 progress: 0%', 'Job job123 progress: 50%', 'Job job123 completed! {rows: 3}',
      'Job other progress: 10%', 'Job other failed! no such file'
    ])
  })

  t.test('from another origin it is refused, with an error', async t => {
    const page = await browser.newPage()
    const lines = printed(page)
    await page.goto(`${theirs}/snippets?${asQuery({ url, token: tokenOf(1) })}`)
    await until(() => lines.some(line => line.startsWith('Connection failed')))
    t.same([...new Set(lines)], ['Connection failed: xhr poll error'])

    const refusal = await page.evaluate(async ({ url, token }) => {
      const { io } = globalThis as unknown as {
        io: (url: string, options: object) => { on: (event: string, listener: (err: Error) => void) => void }
      }
      return await Promise.all([['polling'], ['websocket']].map(transports => new Promise<string>(resolve => {
        const socket = io(url, { auth: { token }, transports, reconnection: false, forceNew: true })
        socket.on('connect', () => resolve('connected'))
        socket.on('connect_error', err => resolve(err.message))
      })))
    }, { url, token: tokenOf(1) })
    t.same(refusal, ['xhr poll error', 'websocket error'])
  })

  t.test('an EventSource reconnects by itself with its ticket after each restart of the gateway', async t => {
    const gateway = await startReplica(t, surroundings, { CORS_ORIGIN: ours })
    const restart = () => startReplica(
      t, surroundings, { CORS_ORIGIN: ours, REALTIME_GATEWAY_PORT: new URL(gateway.url).port }
    )
    const { userId, jobId } = { userId: 'restarts', jobId: 'restarts' }
    await jobs.publish({ userId, jobId, type: 'active' })
    const page = await open(browser, ours)
    await page.evaluate(
      readStreams, { url: gateway.url, token: tokenOf(userId), paths: ['/events', `/jobs/${jobId}/stream`] }
    )
    const seen = async () => await page.evaluate(() => (globalThis as unknown as Streams).seen)
    let published = 0
    const seenAll = async () => {
      await jobs.publish({ userId, jobId, progress: ++published })
      const all = Array.from({ length: published }, (_, i) => i + 1)
      await until(
        async () => (await seen()).every(({ progress }) => progress.at(-1) === published),
        { what: 'both streams to continue' }
      )
      t.same((await seen()).map(({ progress }) => progress), [all, all], 'nothing is missing or doubled')
    }

    await seenAll()
    await gateway.process.kill('SIGTERM')
    await jobs.publish({ userId, jobId, progress: ++published })
    let replica = await restart()
    await seenAll()
    await replica.process.kill('SIGKILL')
    await jobs.publish({ userId, jobId, progress: ++published })
    replica = await restart()
    await seenAll()
    t.ok((await seen()).every(({ state }) => state === 1), 'both are open')
  })

  t.test('the same holds for a plain WebSocket and an EventSource with a ticket', async t => {
    const answers = await Promise.all([ours, theirs].map(async origin => {
      const page = await open(browser, origin)
      return await page.evaluate(plainTransports, { url, token: tokenOf(1) })
    }))
    t.same(answers, [['session', 'session'], ['refused', 'refused']])
  })
})

/** The output of the page's own code. Complaints of the browser itself are also of the type `error`. */
function printed (page: Page): string[] {
  const lines: string[] = []
  page.on('console', message => {
    if (['log', 'error'].includes(message.type()) && !BROWSERS_OWN.test(message.text())) lines.push(message.text())
  })
  return lines
}

const asQuery = (values: Record<string, string>) => new URLSearchParams(values).toString()

function plainTransports ({ url, token }: { url: string, token: string }): Promise<string[]> {
  const webSocket = new Promise<string>(resolve => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, ['tidings.v1', `bearer.${token}`])
    socket.onmessage = ({ data }) => resolve((JSON.parse(data as string) as { event: string }).event)
    socket.onclose = () => resolve('refused')
  })
  const eventSource = async () => {
    const answer = await fetch(`${url}/auth/ticket`, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
    const { ticket } = await answer.json() as { ticket: string }
    const source = new EventSource(`${url}/events?ticket=${ticket}`)
    return await new Promise<string>(resolve => {
      source.addEventListener('session', () => resolve('session'))
      source.onerror = () => resolve('refused')
    })
  }
  return Promise.all([webSocket, eventSource().catch(() => 'refused')])
}

type Streams = { seen: { progress: unknown[], state: number }[] }

/** Opens an EventSource for each path, with a ticket of its own, and records the progress that it receives. */
async function readStreams ({ url, token, paths }: { url: string, token: string, paths: string[] }) {
  const seen = await Promise.all(paths.map(async path => {
    const answer = await fetch(`${url}/auth/ticket`, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
    const { ticket } = await answer.json() as { ticket: string }
    const source = new EventSource(`${url}${path}?ticket=${ticket}`)
    const progress: unknown[] = []
    source.addEventListener(
      'job:progress',
      event => progress.push(
        (JSON.parse((event as unknown as { data: string }).data) as { progress: unknown }).progress
      )
    )
    await new Promise(resolve => source.addEventListener('session', resolve))
    return { progress, get state () { return source.readyState } }
  }))
  Object.assign(globalThis, { seen })
}

async function open (browser: BrowserContext, origin: string) {
  const page = await browser.newPage()
  await page.goto(origin)
  return page
}

/** As with a bundler: the client as a module, and `require` for scripts that use it. */
const PAGE = `<!doctype html>
<script type="importmap">{ "imports": { "socket.io-client": "/socket.io.js" } }</script>
<script type="module">
  import { io } from 'socket.io-client'
  const modules = { 'socket.io-client': io }
  Object.assign(globalThis, { io, require: name => modules[name] })
</script>`

/** Pages on an origin of their own: an empty one, and one that runs the snippets with a given URL and token. */
async function startPage (t: TestContext): Promise<string> {
  // The package exports only a file beside this one.
  const dist = dirname(createRequire(import.meta.url).resolve('socket.io-client/dist/socket.io.js'))
  const client = readFileSync(join(dist, 'socket.io.esm.min.js'))
  const server = createServer((request, response) => {
    const { pathname, search, searchParams } = new URL(request.url ?? '', 'http://page')
    const send = (type: string, body: string | Buffer) => response.setHeader('content-type', type).end(body)
    if (pathname === '/socket.io.js') return send('text/javascript', client)
    if (pathname === '/snippets.js') return send('text/javascript', snippets(searchParams))
    send(
      'text/html',
      pathname === '/snippets' ? `${PAGE}<script type="module" src="/snippets.js${search}"></script>` : PAGE
    )
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Verbatim except for the gateway's address and the token. */
function snippets (given: URLSearchParams): string {
  return [CLIENT_SNIPPET, ERRORS_SNIPPET].join('\n')
    .replace('http://localhost:4000', given.get('url') ?? '')
    .replace('your_jwt_token', given.get('token') ?? '')
}

function onPath (name: string): string | undefined {
  return (process.env.PATH ?? '').split(delimiter).map(folder => join(folder, name)).find(path => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
