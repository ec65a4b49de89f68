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
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']

t.test('pages of another origin', { skip: executablePath === undefined && 'no Chromium: set TIDINGS_TEST_CHROMIUM' }, async t => {
  const origin = await startPage(t)
  const CORS_ORIGIN = `${origin}/`
  const system = await startTestSystem(t, { worker: false, env: { CORS_ORIGIN, REALTIME_DRAIN_MS: '500', EDGE_HOLD_MS: '3000' } })
  const browser = await chromium.launchPersistentContext(temporaryFolder(t, 'chromium'), { executablePath: executablePath as string, args: FLAGS, headless: true })
  t.teardown(() => browser.close())

  const addresses = await addressesOf(t, system, { CORS_ORIGIN })
  for (const address of addresses) {
    await t.test(`through ${address.name}`, { skip: address.skip }, async t => {
      const token = system.token(`pages of ${address.name}`)
      const page = await browser.newPage()
      await page.goto(origin)
      const { body: { jobId } } = await restClient(address, token)<SubmittedJob>('/submit-job', { body: { name: 'x', delay: 86_400_000 } })
      const at = (path: string) => `${address.origin(path)}${path}`

      t.same(await polled(page, { url: at(`/jobs/${jobId}`), token }), [200, 200, 200, 200], 'four polls with the cache that browsers have by default')
      t.match(await read(page, { url: at('/jobs/nothing'), token }), { status: 404, type: 'urn:tidings:problem:job-not-found' }, 'an error can be read')

      t.equal(await connected(page, { url: new URL(at('/socket.io/')).origin, token }), 'session', 'Socket.IO, with credentials')

      await page.evaluate(openStream, { url: at('/events'), ticketUrl: at('/auth/ticket'), token })
      await page.waitForFunction(() => (globalThis as unknown as Streaming).sessions === 1)
      await system.process('realtime-gateway-1').kill('SIGTERM')
      await system.process('realtime-gateway-1').ready()
      await page.waitForFunction(() => (globalThis as unknown as Streaming).sessions === 2, undefined, { timeout: 40_000 })
    })
  }

  await system.process('webhook-dispatcher').stop()
  for (const address of addresses.slice(1)) {
    await t.test(`an error of ${address.name} can be read`, { skip: address.skip }, async t => {
      const page = await browser.newPage()
      await page.goto(origin)
      t.match(await read(page, { url: `${address.origin('/webhooks')}/webhooks`, token: system.token(1) }), { status: 502, type: 'urn:tidings:problem:bad-gateway' })
    })
  }
})

type Streaming = { sessions: number }
type Fetch = { url: string, token: string }

async function polled (page: Page, { url, token }: Fetch): Promise<number[]> {
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

async function connected (page: Page, { url, token }: Fetch): Promise<string> {
  return await page.evaluate(async ({ url, token }) => {
    const { io } = globalThis as unknown as { io: (url: string, options: object) => { on: (event: string, listener: (err: Error) => void) => void, disconnect: () => void } }
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
  const answer = await fetch(ticketUrl, { method: 'POST', headers: { authorization: `Bearer ${token}` }, credentials: 'include' })
  const { ticket } = await answer.json() as { ticket: string }
  const source = new EventSource(`${url}?ticket=${ticket}`, { withCredentials: true })
  source.addEventListener('session', () => { streaming.sessions++ })
}

/** An origin of its own, with the Socket.IO client. */
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
