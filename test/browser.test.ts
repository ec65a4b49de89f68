import { once } from 'node:events'
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { chromium, type Page } from 'playwright-core'
import t from 'tap'
import type { SubmittedJob } from '@tidings/contracts'
import { temporaryFolder, type TestContext } from '@tidings/testing'
import { addressesOf } from './addresses.ts'
import { restClient } from './client.ts'
import { startTestSystem } from './system.ts'

const executablePath = process.env.TIDINGS_TEST_CHROMIUM
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking'
]
/** A browser waits some seconds before it reconnects, and longer after a failed attempt. */
const RECONNECT_TIMEOUT_MS = 60_000

t.test('pages of another origin', {
  skip: executablePath === undefined &&
  'no Chromium: set TIDINGS_TEST_CHROMIUM'
}, async t => {
  const origin = await startPage(t)
  const CORS_ORIGIN = `${origin}/`
  const env = { CORS_ORIGIN, REALTIME_DRAIN_MS: '500', EDGE_HOLD_MS: '3000' }
  const system = await startTestSystem(t, { worker: false, env })
  const profile = temporaryFolder(t, 'chromium')
  const options = { executablePath: executablePath as string, args: FLAGS, headless: true }
  const browser = await chromium.launchPersistentContext(profile, options)
  t.teardown(() => browser.close())
  const openPage = async () => {
    const page = await browser.newPage()
    await page.goto(origin)
    return page
  }

  const addresses = await addressesOf(t, system, { CORS_ORIGIN })
  const streaming: { name: string, page: Page }[] = []

  for (const address of addresses) {
    await t.test(`through ${address.name}`, { skip: address.skip }, async t => {
      const token = system.token(`pages of ${address.name}`)
      const page = await openPage()
      const job = { name: 'x', delay: 86_400_000 }
      const { body: { jobId } } = await restClient(address, token)<SubmittedJob>('/submit-job', { body: job })
      const at = (path: string) => `${address.origin(path)}${path}`

      const statuses = await poll(page, { url: at(`/jobs/${jobId}`), token })
      t.same(statuses, [200, 200, 200, 200], 'four polls with the browser\'s default cache mode')
      const error = await read(page, { url: at('/jobs/nothing'), token })
      t.match(error, { status: 404, type: 'urn:tidings:problem:job-not-found' }, 'an error is readable')
      const outcome = await connect(page, { url: new URL(at('/socket.io/')).origin, token })
      t.equal(outcome, 'session', 'Socket.IO, with credentials')

      await page.evaluate(openStream, { url: at('/events'), ticketUrl: at('/auth/ticket'), token })
      await page.waitForFunction(() => (globalThis as unknown as Streaming).sessions === 1)
      streaming.push({ name: address.name, page })
    })
  }

  await system.process('realtime-gateway-1').kill('SIGTERM')
  await system.process('realtime-gateway-1').ready()
  for (const { name, page } of streaming) {
    await t.test(`an EventSource through ${name} reconnects after a restart of the gateway`, async () => {
      const isBack = () => (globalThis as unknown as Streaming).sessions === 2
      await page.waitForFunction(isBack, undefined, { timeout: RECONNECT_TIMEOUT_MS })
    })
  }

  await system.process('webhook-dispatcher').stop()
  // Each edge waits for the service first, so they are asked at the same time.
  const errors = addresses.slice(1).filter(({ skip }) => !skip).map(async ({ name, origin }) => {
    const url = `${origin('/webhooks')}/webhooks`
    return { name, error: await read(await openPage(), { url, token: system.token(1) }) }
  })
  for (const { name, error } of await Promise.all(errors)) {
    t.match(error, { status: 502, type: 'urn:tidings:problem:bad-gateway' }, `an error of ${name} is readable`)
  }
})

type Streaming = { sessions: number }
type SocketIoClient = (url: string, options: object) => {
  on: (event: string, listener: (err: Error) => void) => void
  disconnect: () => void
}
type Fetch = { url: string, token: string }

async function poll (page: Page, { url, token }: Fetch): Promise<number[]> {
  return await page.evaluate(async ({ url, token }) => {
    const statuses: number[] = []
    for (let i = 0; i < 4; i++) {
      const response = await fetch(url, { headers: { authorization: `Bearer ${token}` }, credentials: 'include' })
      await response.json()
      statuses.push(response.status)
    }
    return statuses
  }, { url, token })
}

async function read (page: Page, { url, token }: Fetch): Promise<object> {
  return await page.evaluate(async ({ url, token }) => {
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` }, credentials: 'include' })
    return await response.json() as object
  }, { url, token })
}

async function connect (page: Page, { url, token }: Fetch): Promise<string> {
  return await page.evaluate(async ({ url, token }) => {
    const { io } = globalThis as unknown as { io: SocketIoClient }
    const socket = io(url, { auth: { token }, withCredentials: true, forceNew: true })
    const outcome = await new Promise<string>(resolve => {
      socket.on('session', () => resolve('session'))
      socket.on('connect_error', err => resolve(err.message))
    })
    socket.disconnect()
    return outcome
  }, { url, token })
}

async function openStream ({ url, ticketUrl, token }: Fetch & { ticketUrl: string }): Promise<void> {
  const streaming = globalThis as unknown as Streaming
  streaming.sessions = 0
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(ticketUrl, { method: 'POST', headers, credentials: 'include' })
  const { ticket } = await response.json() as { ticket: string }
  const source = new EventSource(`${url}?ticket=${ticket}`, { withCredentials: true })
  source.addEventListener('session', () => { streaming.sessions++ })
}

/** Serves a page of another origin that loads the Socket.IO client. */
async function startPage (t: TestContext): Promise<string> {
  const dist = dirname(createRequire(import.meta.url).resolve('socket.io-client/dist/socket.io.js'))
  const client = readFileSync(join(dist, 'socket.io.min.js'))
  const server = createServer(({ url }, response) => {
    if (url === '/socket.io.js') response.setHeader('content-type', 'text/javascript').end(client)
    else response.setHeader('content-type', 'text/html').end('<!doctype html><script src="/socket.io.js"></script>')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
