import t from 'tap'
import { startReceiver, until } from '@tidings/testing'
import { jobOf, setup, type NewEvent } from '../setup.ts'

// Few, so that the whole takes a small part of the deadline, however busy the machine is.
const HEALTHY = 60
const HANGING = 20
const ROUNDS = 3
/** Twice as many as there are endpoints that hang, and as they would be given if nobody kept them apart. */
const SLOTS = 2 * HANGING
/** A delivery that waits for a hanging endpoint has not arrived when the test looks. */
const DEADLINE_MS = 60_000

t.test('no delivery of a healthy endpoint waits for one that hangs for the whole deadline', async t => {
  const { append, createWebhook, sql } = await setup(
    t, { WEBHOOK_TIMEOUT_MS: String(DEADLINE_MS), WEBHOOK_MAX_IN_FLIGHT: String(SLOTS) }
  )
  const delivered = async (count: number) => await until(async () =>
    (
      await sql`select from webhooks.deliveries where state = 'delivered'`
    ).length === count, { timeoutMs: DEADLINE_MS / 2, what: `${count} to be delivered` })
  const [healthy, hanging] = [await startReceiver(t), await startReceiver(t)]
  for (let i = 0; i < HEALTHY; i++) await createWebhook({ url: `${healthy.url}/${i}`, userId: `healthy-${i}` })
  for (let i = 0; i < HANGING; i++) await createWebhook({ url: `${hanging.url}/${i}`, userId: `hanging-${i}` })
  await append([...eventsOf('hanging', HANGING, 'once well'), ...eventsOf('healthy', HEALTHY, 'once well')])
  await delivered(HEALTHY + HANGING)

  let ended = 0
  hanging.handle((_request, response) => { response.once('close', () => { ended++ }) })
  for (let round = 1; round <= ROUNDS; round++) {
    await append([...eventsOf('hanging', HANGING, round), ...eventsOf('healthy', HEALTHY, round)])
    await delivered(HEALTHY + HANGING + round * HEALTHY)
  }
  t.equal(ended, 0, 'those that hang were in flight all the time')
  const inFlight = hanging.requests.length - HANGING
  t.ok(inFlight > 0 && inFlight < SLOTS, `${inFlight} of ${SLOTS} slots`)
})

function eventsOf (kind: string, count: number, round: string | number): NewEvent[] {
  return Array.from({ length: count }, (_, i) => jobOf(`${kind}-${i}-${round}`, 0, { userId: `${kind}-${i}` })).flat()
}
