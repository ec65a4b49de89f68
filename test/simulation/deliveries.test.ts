import t from 'tap'
import { simulate } from './schedules.ts'

const { holds, isCaught } = simulate(t, new URL('./deliveries.ts', import.meta.url))

t.test('without faults of ours each message arrives exactly once, in the order of its job', async t => {
  await holds(t, 'without faults')
})

t.test('through crashes, freezes and lost connections each arrives, in order, sent by who holds it', async t => {
  await holds(t, 'with faults')
})

t.test('and where Postgres fails over to a standby that lags, so that rows and positions go back', async t => {
  await holds(t, 'with faults and fail-overs')
})

t.test('without one of its rules the protocol fails', async t => {
  for (const rule of [
    'rows are inserted wherever the position is',
    'the position moves before the rows are inserted',
    'outcomes are written into rows of others',
    'claims of others are ignored',
    'any delivery of a job is claimed',
    'new events overtake those that wait',
    'a lease ends before its worker expects that',
    'a promoted standby looks like the primary'
  ]) {
    await isCaught(t, rule)
  }
})
