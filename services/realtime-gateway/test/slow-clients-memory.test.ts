import t from 'tap'
import { tokenOf, until, type TestContext } from '@tidings/testing'
import { TRANSPORT_KINDS } from '../src/session/transport.ts'
import type { Client } from './setup/client.ts'
import { connect } from './setup/transports.ts'
import { startReplica, startSurroundings } from './setup/gateway.ts'

/** Nearly twice as many as a client is sent before it counts as slow: about 28,000, most of them in system buffers. */
const COUNT = 50_000
/** Published before the measurement: compiled code, and ends that the gateway remembers, are not the client's. */
const WARM_UP = 10_000
/** Events that a relay appends at once. */
const BATCH = 200
/** Events that the others receive before more are published: on a busy machine they read slowly. */
const AHEAD = 1000
/** Small while the hanging client has its session, so that its highest cost is measured. */
const STEPS = { open: 1000, ended: 10_000 }
const MIB = 1024 * 1024
const WAIT = { timeoutMs: 120_000 }

const surroundings = await startSurroundings(t)
const { jobs } = surroundings

for (const [at, kind] of TRANSPORT_KINDS.entries()) {
  t.test(`${kind}: a client that reads none of 50,000 events costs less than 4 MiB and is closed as slow`, async t => {
    const gateway = await startMeasured(t)
    const userId = `${kind}-slow`
    const token = tokenOf(userId)
    const others = await Promise.all(
      [
        kind, TRANSPORT_KINDS[(at + 1) % TRANSPORT_KINDS.length] ?? kind
      ].map(each => connect[each](t, gateway.url, { token }))
    )
    const publishAll = async (from: number, to: number) => {
      for (let i = from; i < to; i += BATCH) {
        await jobs.publish(...batchOf(userId, i))
        const count = i + BATCH
        if (count % AHEAD > 0 && count < to) continue
        await until(
          () => others.every(({ received }) => received.length > count), { ...WAIT, what: `${count} events at the others` }
        )
      }
    }

    await publishAll(0, WARM_UP)
    const client = await connect[kind](t, gateway.url, { token })
    await gateway.held()
    const before = await gateway.held()
    client.hang()
    let most = 0
    let wasSlowAt = 0
    for (let published = WARM_UP; published < WARM_UP + COUNT;) {
      const next = Math.min(WARM_UP + COUNT, published + (wasSlowAt ? STEPS.ended : STEPS.open))
      await publishAll(published, next)
      published = next
      most = Math.max(most, await gateway.held() - before)
      if (!wasSlowAt && await gateway.isSlow(kind)) wasSlowAt = published
    }

    t.comment(`it cost at most ${(most / MIB).toFixed(2)} MiB, and was slow after ${wasSlowAt - WARM_UP} events`)
    t.ok(most < 4 * MIB, `${most} bytes`)
    t.ok(wasSlowAt > 0)
    const all = Array.from({ length: WARM_UP + COUNT }, (_, i) => i)
    for (const other of others) {
      t.same(numbersOf(other), all, 'others receive everything, in order')
      t.notOk(other.gone)
    }
    client.read()
    await client.waitForEnd()
    const got = numbersOf(client)
    t.same(got, all.slice(WARM_UP, WARM_UP + got.length), 'without a gap up to its end')
  })
}

/** Completions, which cannot be dropped, and as many progress events, which can. */
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
