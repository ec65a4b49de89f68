import t from 'tap'
import { startReceiver, until, type TestContext } from '@tidings/testing'
import { setup, type NewEvent } from '../setup.ts'

const completed = (jobId: string): NewEvent => ({ type: 'completed', jobId, result: 1 })

/** A system in which Postgres refuses to write down a second attempt, at so many tries of a delivery for which `when` holds. */
async function setupRefusing (t: TestContext, { code, times, when }: { code: string, times: number, when: string }) {
  const system = await setup(t, { WEBHOOK_RETRY_SCHEDULE: '20ms', LOG_LEVEL: 'silent' })
  await system.sql.unsafe(`
    create sequence public.tries;
    create function public.refuse () returns trigger language plpgsql as $$ begin
      if nextval('public.tries') <= ${times} then raise exception 'refused' using errcode = '${code}'; end if;
      return new;
    end $$;
    create trigger refuse before update on webhooks.deliveries for each row when (new.attempts = 2 and ${when}) execute function public.refuse();`)
  let failures = 2
  const receiver = await startReceiver(t, () => failures-- > 0 ? 500 : 200)
  await system.createWebhook({ url: receiver.url })
  await system.append([completed('1'), completed('2')])
  return { ...system, receiver }
}

for (const [what, code] of [['a deadlock', '40P01'], ['a statement that took too long', '57014'], ['a primary that is one no more', '25006']] as const) {
  t.test(`outcomes wait for the end of ${what}, and nothing is posted again`, async t => {
    const { sql, receiver } = await setupRefusing(t, { code, times: 3, when: 'true' })
    await until(async () => (await sql`select from webhooks.deliveries where state = 'delivered' and claim is null`).length === 2)
    t.equal(receiver.requests.length, 4)
    t.equal((await sql`select from webhooks.attempts`).length, 4)
  })
}

t.test('an outcome that Postgres will never take holds up no other', async t => {
  const { sql } = await setupRefusing(t, { code: '22P05', times: 1_000_000, when: "new.chain = 'default:1'" })
  await until(async () => (await sql`select from webhooks.deliveries where state = 'delivered'`).length === 1)
  t.equal((await sql`select from webhooks.deliveries where state = 'pending'`).length, 1)
})
