import t from 'tap'
import { startReceiver, until, type TestContext } from '@tidings/testing'
import { setup, type NewEvent } from '../../setup.ts'

const completed = (jobId: string, userId: string): NewEvent => ({ type: 'completed', jobId, userId, result: 1 })

const { sql, append, createWebhook } = await setup(
  t, { WEBHOOK_RETRY_SCHEDULE: '20ms', WEBHOOK_RECOVERY_WINDOW: '0', LOG_LEVEL: 'silent' }
)

/**
 * Two deliveries that succeed at the second attempt, which Postgres refuses to write down so many times, where `when`
 * holds.
 */
async function deliverRefused (t: TestContext, { code, times, when }: { code: string, times: number, when: string }) {
  await sql.unsafe(`
    drop trigger if exists refuse on webhooks.deliveries;
    drop sequence if exists public.tries;
    create sequence public.tries;
    create or replace function public.refuse () returns trigger language plpgsql as $$ begin
      if nextval('public.tries') <= ${times} then raise exception 'refused' using errcode = '${code}'; end if;
      return new;
    end $$;
    create trigger refuse before update on webhooks.deliveries for each row when (new.attempts = 2 and ${when}) execute function public.refuse();`)
  let failures = 2
  const receiver = await startReceiver(t, () => failures-- > 0 ? 500 : 200)
  const id = await createWebhook({ url: receiver.url, userId: code })
  await append(['1', '2'].map(n => completed(`${code} ${n}`, code)))
  const delivered = async () => (
    await sql`select from webhooks.deliveries where webhook_id = ${id} and state = 'delivered' and claim is null`
  ).length
  return { receiver, delivered }
}

for (const [what, code] of [
  ['a deadlock', '40P01'], ['a statement that took too long', '57014'], ['a former primary', '25006']
] as const) {
  t.test(`outcomes wait for the end of ${what}, and no attempt is repeated`, async t => {
    const { receiver, delivered } = await deliverRefused(t, { code, times: 2, when: 'true' })
    await until(async () => await delivered() === 2)
    t.equal(receiver.requests.length, 4)
  })
}

t.test('an outcome that Postgres always refuses delays no other', async t => {
  const { delivered } = await deliverRefused(
    t, { code: '22P05', times: 1_000_000, when: "new.chain = 'default:22P05 1'" }
  )
  await until(async () => await delivered() === 1)
  t.equal((await sql`select from webhooks.deliveries where state = 'pending'`).length, 1)
})

t.test('an outcome whose response Postgres refuses is kept without the response', async t => {
  await sql.unsafe(`
    create function public.refuse_response () returns trigger language plpgsql as $$ begin
      raise exception 'refused' using errcode = '22P05';
    end $$;
    create trigger refuse_response before insert on webhooks.attempts for each row when (new.response_body = 'refused') execute function public.refuse_response();`)
  const receiver = await startReceiver(t, (_request, response) => { response.writeHead(500).end('refused') })
  const id = await createWebhook({ url: receiver.url, userId: 'response' })
  await append([completed('response 1', 'response'), completed('response 2', 'response')])
  await until(async () => (
    await sql`select from webhooks.deliveries where webhook_id = ${id} and state = 'failed' and claim is null`
  ).length === 2)
  // The first attempts are inserted with their rows, the second ones update them.
  t.same(
    (await sql`
      select a.n, a.status, a.response_body from webhooks.attempts a join webhooks.deliveries d on d.id = a.delivery_id
      where d.webhook_id = ${id} order by a.n`).map(({ n, status, response_body: body }) => [n, status, body]),
    [[1, 500, null], [1, 500, null], [2, 500, null], [2, 500, null]]
  )
})
