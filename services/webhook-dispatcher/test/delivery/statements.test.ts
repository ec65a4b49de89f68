import t from 'tap'
import { startReceiver, until } from '@tidings/testing'
import { setup, type NewEvent } from '../setup.ts'

const ENDPOINTS = 5
const EVENTS = 1000
const DELIVERIES = ENDPOINTS * EVENTS

t.test('deliveries are written many at a time, each with its attempt', async t => {
  const { append, createWebhook, sql } = await setup(t)
  const receiver = await startReceiver(t)
  for (let i = 0; i < ENDPOINTS; i++) await createWebhook({ url: `${receiver.url}/${i}` })
  const delivered = async (count: number) => await until(async () =>
    (await sql`select from webhooks.deliveries where state = 'delivered'`).length === count, { timeoutMs: 90_000 })
  await append(completions('first', 1))
  await delivered(ENDPOINTS)
  // A sequence, since it counts what is in no transaction's way.
  await sql.unsafe(`
    create sequence public.statements;
    create function public.count_statement () returns trigger language plpgsql as $$ begin perform nextval('public.statements'); return null; end $$;
    create trigger counted after insert or update on webhooks.deliveries for each statement execute function public.count_statement();
    create trigger counted after insert on webhooks.attempts for each statement execute function public.count_statement();
    create trigger counted after insert on webhooks.events for each statement execute function public.count_statement();`)

  await append(completions('a', EVENTS / 2))
  await append(completions('b', EVENTS / 2))
  await delivered(ENDPOINTS + DELIVERIES)
  const [row] = await sql<{ statements: number }[]>`select last_value::int as statements from public.statements`
  t.comment(`${row?.statements} statements on three tables, for ${DELIVERIES} deliveries`)
  // Row by row they would be three a delivery; how many go together depends on how busy the machine is.
  t.ok((row?.statements ?? Infinity) < DELIVERIES / 2, `${row?.statements} statements`)
  t.equal((await sql`select from webhooks.attempts`).length, ENDPOINTS + DELIVERIES)
})

function completions (of: string, count: number): NewEvent[] {
  return Array.from(
    { length: count },
    (_, i) => ({ type: 'completed', jobId: `${of}-${i}`, result: { rows: 42_049, of: 'zipcodes.csv' } })
  )
}
