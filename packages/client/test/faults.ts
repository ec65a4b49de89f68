import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { until } from '@tidings/testing'
import type { System } from '@tidings/local'
import { createClient, type Channel } from '../src/index.ts'
import { bundleFixture, startBrowser, withoutChromium } from './browser.ts'
import type { Report } from './fixtures/fault-reader.ts'
import { startBufferingProxy, startTcpProxy, type TcpProxy } from './proxy.ts'
import { forkReader, openReader, type RemoteReader } from './readers.ts'

/** Of each job. TIDINGS_TEST_CLIENT_EVENTS=10000 for more than a server keeps of a user, while the network is cut. */
const EVENTS = Number(process.env.TIDINGS_TEST_CLIENT_EVENTS ?? 150)
const PAUSE_MS = EVENTS > 1000 ? 0 : 40
/** Of each wait; far more than a slow machine needs. */
const SLOW = { timeoutMs: 120_000, intervalMs: 200 }

/** Of a reader's first token. */
type Lifetimes = Record<Channel, number>

interface Subject {
  name: string
  channel: Channel
  reader: RemoteReader
  proxy: TcpProxy
  jobId: string
}

/** What a client of each channel, in Node and in Chromium, makes of each fault, at an address of the system. */
export async function testFaults (t: Test, system: System, origin: string): Promise<void> {
  const browser = withoutChromium ? undefined : await startBrowser(t)
  const script = await bundleFixture('fault-page.ts')

  async function startAll (t: Test, title: string, tokenMs?: Lifetimes): Promise<Subject[]> {
    const places = ['Node', ...(browser ? ['Chromium'] : [])]
    const kinds = places.flatMap(place => (['websocket', 'sse', 'poll'] as const).map(channel => ({ place, channel })))
    return await Promise.all(kinds.map(async ({ place, channel }) => {
      const name = `${channel} in ${place}`
      const user = `${title}, ${name}`
      const proxy = await startTcpProxy(t, origin)
      const reader = place === 'Node' || !browser ? forkReader(t) : await openReader(t, browser, script)
      const tokens: [string, string] = [system.token(user, tokenMs?.[channel]), system.token(user)]
      await reader.begin({ url: proxy.url, channel, tokens })
      const direct = createClient({ url: origin, token: system.token(user) })
      const { jobId } = await direct.jobs.submit('count', { to: EVENTS, pauseMs: PAUSE_MS })
      await reader.wait(jobId)
      return { name, channel, reader, proxy, jobId }
    }))
  }

  /** Everything came once and in order, or one gap says what did not; and `wait` came to the job's own end. */
  async function allAreWhole (t: Test, subjects: Subject[]): Promise<void> {
    for (const { name, channel, reader } of subjects) {
      const report = await until(async () => {
        const report = await reader.report()
        return report.waited !== undefined && (channel === 'poll' || report.items.at(-1) === 'completed') && report
      }, { ...SLOW, what: `the end of ${name}` }).catch(async (err: unknown) => {
        throw Object.assign(err as Error, { report: await reader.report() })
      })
      t.same(report.waited, { counted: EVENTS }, `${name}: wait`)
      if (channel !== 'poll') isWhole(t, name, report)
    }
  }

  function isWhole (t: Test, name: string, { items }: Report) {
    const gaps = items.filter(item => item === 'gap').length
    const progress = items.filter(item => typeof item === 'number')
    t.ok(gaps <= 1, `${name}: ${gaps} gaps`)
    t.same(progress, [...new Set(progress)].toSorted((a, b) => a - b), `${name}: each once, in order`)
    t.equal(items.filter(item => item === 'completed').length, 1, `${name}: one end`)
    if (gaps === 0) t.equal(progress.length, EVENTS, `${name}: all`)
  }

  const anyIsWaiting = async (t: Test, subjects: Subject[]) => {
    for (const { name, reader } of subjects) {
      const { waited } = await reader.report()
      t.ok(waited === undefined || (waited as { counted?: number }).counted === EVENTS, `${name}: no end but the job's`)
    }
  }

  t.test('the network is cut, twice', async t => {
    const subjects = await startAll(t, 'cut')
    for (let n = 0; n < 2; n++) {
      for (const { proxy } of subjects) proxy.cut()
      await sleep(1500)
      await anyIsWaiting(t, subjects)
      for (const { proxy } of subjects) proxy.mend()
      await sleep(1500)
    }
    await allAreWhole(t, subjects)
  })

  t.test('the gateway is killed', async t => {
    const subjects = await startAll(t, 'killed')
    await system.process('realtime-gateway-1').kill('SIGKILL')
    await anyIsWaiting(t, subjects)
    await system.process('realtime-gateway-1').ready()
    await allAreWhole(t, subjects)
  })

  t.test('the token expires', async t => {
    // Each is renewed at once, since it ends within a minute. A WebSocket alone does not say that its first token has
    // ended already, so that one has to outlast the start of its process.
    const subjects = await startAll(t, 'expired', { websocket: 55_000, sse: 5000, poll: 5000 })
    await allAreWhole(t, subjects)
    for (const { name, reader } of subjects) {
      const { reasons } = await reader.report()
      t.ok(reasons.length <= 3, `${name}: ${reasons.join()}`)
    }
  })

  t.test('the client sleeps, and the network goes meanwhile', async t => {
    const subjects = await startAll(t, 'asleep')
    await Promise.all(subjects.map(({ reader }) => reader.sleep()))
    for (const { proxy } of subjects) proxy.cut()
    await sleep(3000)
    for (const { proxy } of subjects) proxy.mend()
    await Promise.all(subjects.map(({ reader }) => reader.wake()))
    await allAreWhole(t, subjects)
  })

  t.test('a proxy buffers', async t => {
    const kinds = [forkReader(t), ...(browser ? [await openReader(t, browser, script)] : [])]
    await Promise.all(kinds.map(async (reader, n) => {
      const user = `buffered ${n}`
      const proxy = await startBufferingProxy(t, origin)
      const tokens: [string, string] = [system.token(user), system.token(user)]
      // Its events wait for a session, which a proxy that buffers does not let through.
      reader.begin({ url: proxy.url, channel: 'sse', tokens }).catch(() => {})
      const direct = createClient({ url: origin, token: system.token(user) })
      const { jobId } = await direct.jobs.submit('count', { to: 20, pauseMs: 40 })
      await until(async () => { await reader.wait(jobId); return true }, SLOW)
      const { waited } = await until(async () => {
        const report = await reader.report()
        return report.waited !== undefined && report
      }, SLOW)
      t.same(waited, { counted: 20 })
      proxy.mend()
      await until(async () => (await reader.report()).status === 'live', SLOW)
    }))
  })
}
