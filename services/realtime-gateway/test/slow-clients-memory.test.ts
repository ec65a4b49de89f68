import t from 'tap'
import { tokenOf, until, type TestContext } from '@tidings/testing'
import { TRANSPORT_KINDS } from '../src/session/transport.ts'
import type { Client } from './setup/client.ts'
import { connect } from './setup/transports.ts'
import { startReplica, startSurroundings } from './setup/gateway.ts'

const COUNT = 100_000
/** Told before: what it makes the process compile, and keep for good, is not the client's. */
const WARM_UP = 5000
/** What a relay appends at once. */
const BATCH = 200
/** Small while the client hangs and has its session, so that the most that it ever costs is seen. */
const STEPS = { open: 1000, ended: 10_000 }
const MIB = 1024 * 1024
const WAIT = { timeoutMs: 120_000 }

const surroundings = await startSurroundings(t)
const { jobs } = surroundings

for (const [at, kind] of TRANSPORT_KINDS.entries()) {
  t.test(`${kind}: a client that stops reading while 100,000 events are sent costs less than 4 MiB and is closed as slow`, async t => {
    const gateway = await startMeasured(t)
    const userId = `${kind}-slow`
    const token = tokenOf(userId)
    const others = await Promise.all([kind, TRANSPORT_KINDS[(at + 1) % TRANSPORT_KINDS.length] ?? kind].map(each => connect[each](t, gateway.url, { token })))
    const tellAll = async (from: number, to: number) => {
      for (let i = from; i < to; i += BATCH) await jobs.publish(...batchOf(userId, i))
      await until(() => others.every(({ received }) => received.length > to), { ...WAIT, what: `${to} events at the others` })
    }

    await tellAll(0, WARM_UP)
    const client = await connect[kind](t, gateway.url, { token })
    await gateway.held()
    const before = await gateway.held()
    client.hang()
    let most = 0
    let wasSlowAt = 0
    for (let told = WARM_UP; told < WARM_UP + COUNT;) {
      const next = Math.min(WARM_UP + COUNT, told + (wasSlowAt ? STEPS.ended : STEPS.open))
      await tellAll(told, next)
      told = next
      most = Math.max(most, await gateway.held() - before)
      if (!wasSlowAt && await gateway.isSlow(kind)) wasSlowAt = told
    }

    t.comment(`it cost at most ${(most / MIB).toFixed(2)} MiB, and was slow after ${wasSlowAt - WARM_UP} events`)
    t.ok(most < 4 * MIB, `${most} bytes`)
    t.ok(wasSlowAt > 0)
    const all = Array.from({ length: WARM_UP + COUNT }, (_, i) => i)
    for (const other of others) {
      t.same(numbersOf(other), all, 'another misses nothing, and gets it in order')
      t.notOk(other.gone)
    }
    client.read()
    await client.waitForEnd()
    const got = numbersOf(client)
    t.same(got, all.slice(WARM_UP, WARM_UP + got.length), 'what it got is whole')
  })
}

/** Completions, which can't be spared, and as much progress, which can. */
function batchOf (userId: string, from: number) {
  return Array.from({ length: BATCH }, (_, i) => (from + i) % 2 === 0
    ? { userId, jobId: `${userId}-${from + i}`, type: 'completed' as const, result: from + i }
    : { userId, jobId: `${userId}-long-${i % 20}`, progress: from + i })
}

function numbersOf ({ received }: Client): unknown[] {
  return received.filter(({ event }) => event.startsWith('job:')).map(({ data }) => data.result ?? data.progress)
}

async function startMeasured (t: TestContext) {
  const { url } = await startReplica(t, surroundings, {}, './measured-gateway.ts')
  const held = async () => (await (await fetch(`${url}/held`)).json() as { bytes: number }).bytes
  const isSlow = async (kind: string) => (await (await fetch(`${url}/metrics`)).text())
    .includes(`tidings_realtime_session_ends_total{transport="${kind}",reason="slow"} 1`)
  return { url, held, isSlow }
}
