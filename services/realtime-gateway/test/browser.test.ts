import { once } from 'node:events'
import { accessSync, constants, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'
import { chromium, type BrowserContext } from 'playwright-core'
import t from 'tap'
import { temporaryFolder, tokenOf, type TestContext } from '@tidings/testing'
import { startGateway, startSurroundings } from './setup/gateway.ts'

const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'
]
const executablePath = process.env.TIDINGS_TEST_CHROMIUM ?? onPath('chromium')
const skip = executablePath === undefined && 'no Chromium: set TIDINGS_TEST_CHROMIUM'

t.test('pages of a browser', { skip }, async t => {
  const [ours, theirs] = [await startPage(t), await startPage(t)]
  const surroundings = await startSurroundings(t)
  const { jobs } = surroundings
  const { url } = await startGateway(t, surroundings, { CORS_ORIGIN: ours })
  const browser = await chromium.launchPersistentContext(temporaryFolder(t, 'chromium'), { executablePath: executablePath as string, args: FLAGS, headless: true })
  t.teardown(() => browser.close())
  const job = { userId: '1', jobId: 'job123' }
  const told = [{ ...job, progress: 50 }, { ...job, type: 'completed' as const, result: 'rows: 3' }]
  await jobs.tell({ ...job, type: 'active' })

  t.test('the client snippet of the documentation works from an origin that is allowed', async t => {
    const page = await open(browser, ours)
    const lines = page.evaluate(seedSnippet, { url, token: tokenOf(1) })
    await page.waitForFunction('window.subscribed')
    await jobs.tell(...told)
    t.same(await lines, ['Job job123 progress: 50%', 'Job job123 completed! rows: 3'])
  })

  t.test('it is refused from an origin that is not', async t => {
    const page = await open(browser, theirs)
    const refusal = await page.evaluate(async ({ url, token }) => {
      const { io } = globalThis as unknown as { io: (url: string, options: object) => { on: (event: string, listener: (err: Error) => void) => void } }
      return await Promise.all([['polling'], ['websocket']].map(transports => new Promise<string>(resolve => {
        const socket = io(url, { auth: { token }, transports, reconnection: false, forceNew: true })
        socket.on('connect', () => resolve('connected'))
        socket.on('connect_error', err => resolve(err.message))
      })))
    }, { url, token: tokenOf(1) })
    t.same(refusal, ['xhr poll error', 'websocket error'])
  })

  t.test('a plain WebSocket and an EventSource with a ticket: the same', async t => {
    const answers = await Promise.all([ours, theirs].map(async origin => {
      const page = await open(browser, origin)
      return await page.evaluate(plainFaces, { url, token: tokenOf(1) })
    }))
    t.same(answers, [['session', 'session'], ['refused', 'refused']])
  })
})

/** The documentation's snippet; what it prints is returned. */
function seedSnippet ({ url, token }: { url: string, token: string }): Promise<string[]> {
  const { io } = globalThis as unknown as { io: (url: string, options: object) => { on: (event: string, listener: (data: Record<string, string>) => void) => void, emit: (...args: unknown[]) => void } }
  const lines: string[] = []
  const socket = io(url, { auth: { token } })
  socket.on('job:progress', data => { lines.push(`Job ${data.jobId} progress: ${data.progress}%`) })
  socket.emit('subscribe:job', 'job123', () => { Object.assign(globalThis, { subscribed: true }) })
  return new Promise(resolve => {
    socket.on('job:completed', data => {
      lines.push(`Job ${data.jobId} completed! ${data.result}`)
      resolve(lines)
    })
  })
}

function plainFaces ({ url, token }: { url: string, token: string }): Promise<string[]> {
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

async function open (browser: BrowserContext, origin: string) {
  const page = await browser.newPage()
  await page.goto(origin)
  return page
}

/** A page on an origin of its own, with Socket.IO's client. */
async function startPage (t: TestContext): Promise<string> {
  const client = readFileSync(createRequire(import.meta.url).resolve('socket.io-client/dist/socket.io.js'))
  const server = createServer((request, response) => {
    if (request.url === '/socket.io.js') response.setHeader('content-type', 'text/javascript').end(client)
    else response.setHeader('content-type', 'text/html').end('<!doctype html><script src="/socket.io.js"></script>')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
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
