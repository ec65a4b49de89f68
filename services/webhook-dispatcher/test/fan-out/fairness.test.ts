import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { startReceiver, until } from '@tidings/testing'
import { setup, type NewEvent } from '../setup.ts'

/** More than may wait for their outcomes in memory. */
const BURST = 5000
/** The busy endpoint answers so many, slowly, and no more before the others have theirs. */
const ANSWERED = 1000
const WARM = 10
const OTHERS = 20

t.test('a burst of one user delays no webhook of others, though its endpoint and Postgres fall behind', async t => {
  const { append, createWebhook, sql } = await setup(t, { WEBHOOK_TIMEOUT_MS: '60000' })
  const untilDelivered = async (count: number) => await until(async () =>
    (await sql`select from webhooks.deliveries where state = 'delivered'`).length === count, {
    timeoutMs: 120_000, intervalMs: 200, what: `${count} to be delivered`
  })
  const behind = Promise.withResolvers<void>()
  const [busy, calm] = [await startReceiver(t, async () => {
    if (busy.requests.length < ANSWERED) await sleep(5)
    else await behind.promise
    return 200
  }), await startReceiver(t)]
  await createWebhook({ url: busy.url, userId: 'busy' })
  for (let i = 0; i < OTHERS; i++) await createWebhook({ url: `${calm.url}/${i}`, userId: `calm-${i}` })
  await append([...burst('warm', WARM), ...others('warm')])
  await untilDelivered(WARM + OTHERS)

  const connection = await sql.reserve()
  await connection`begin`
  await connection`lock table webhooks.deliveries in share mode` // who would write waits
  for (let i = 0; i < BURST; i += 1000) await append(burst(`burst-${i}`, 1000))
  await append(others('behind'))
  await calm.waitFor(2 * OTHERS, { what: 'the webhooks of the others, which do not wait for the burst,' })
  t.ok(busy.requests.length < BURST / 2, `${busy.requests.length} of the burst had arrived when the others had`)
  behind.resolve()
  await connection`commit`
  connection.release()

  await untilDelivered(WARM + BURST + 2 * OTHERS)
  t.equal(new Set(busy.requests.map(({ headers }) => headers['webhook-id'])).size, WARM + BURST)
  t.equal(busy.requests.length, WARM + BURST, 'each once')
})

function burst (of: string, count: number): NewEvent[] {
  return Array.from(
    { length: count }, (_, i) => ({ type: 'completed', jobId: `${of}-${i}`, userId: 'busy', result: { rows: i } })
  )
}

function others (of: string): NewEvent[] {
  return Array.from(
    { length: OTHERS }, (_, i) => ({ type: 'completed', jobId: `calm-${of}-${i}`, userId: `calm-${i}`, result: i })
  )
}
