import t from 'tap'
import { startReceiver, until, type TestContext } from '@tidings/testing'
import { jobOf, setup, type NewEvent } from '../setup.ts'

const HEALTHY = 200
const HANGING = 20
const WARM_UP = 3
const ROUNDS = 15
/** Whoever waits for one hanging endpoint is an order of magnitude late. */
const DEADLINE_MS = 3000

t.test('endpoints that hang for the whole deadline cost the healthy ones next to nothing', async t => {
  const [alone, beside] = [await startSystem(t, 0), await startSystem(t, HANGING)]
  // By turns, so that what else the machine does meets both.
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    if (round === WARM_UP) for (const system of [alone, beside]) system.forget()
    await alone.round(round)
    await beside.round(round)
  }
  t.comment(`p99 ${alone.p99} ms alone, ${beside.p99} ms beside; in all ${alone.totalMs} ms alone, ${beside.totalMs} ms beside`)
  t.ok(beside.p99 <= 2 * alone.p99, `p99 ${alone.p99} ms alone, ${beside.p99} ms beside`)
  t.ok(beside.totalMs <= 1.5 * alone.totalMs, `in all ${alone.totalMs} ms alone, ${beside.totalMs} ms beside`)
})

/** A dispatcher of its own. A round is one event for every user; each user has an endpoint. */
async function startSystem (t: TestContext, hanging: number) {
  const { append, createWebhook } = await setup(t, { WEBHOOK_TIMEOUT_MS: String(DEADLINE_MS) })
  let latencies: number[] = []
  let totalMs = 0
  const receiver = await startReceiver(t, ({ headers, at }) => {
    latencies.push(at - Number(String(headers['webhook-id']).split('-')[0]))
    return 200
  })
  const stuck = await startReceiver(t, () => {})
  for (let i = 0; i < HEALTHY; i++) await createWebhook({ url: `${receiver.url}/${i}`, userId: `healthy-${i}` })
  for (let i = 0; i < hanging; i++) await createWebhook({ url: `${stuck.url}/${i}`, userId: `hanging-${i}` })

  return {
    async round (round: number): Promise<void> {
      const started = Date.now()
      await append([...eventsOf('hanging', hanging, round), ...eventsOf('healthy', HEALTHY, round)])
      await until(() => receiver.requests.length >= (round + 1) * HEALTHY, { intervalMs: 1, what: `round ${round}` })
      totalMs += Date.now() - started
    },
    forget (): void {
      latencies = []
      totalMs = 0
    },
    get p99 () { return latencies.toSorted((a, b) => a - b)[Math.floor(latencies.length * 0.99)] ?? 0 },
    get totalMs () { return totalMs }
  }
}

function eventsOf (kind: string, count: number, round: number): NewEvent[] {
  return Array.from({ length: count }, (_, i) => jobOf(`${kind}-${i}-${round}`, 0, { userId: `${kind}-${i}` })).flat()
}
