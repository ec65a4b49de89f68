import t from 'tap'
import { simulate } from './schedules.ts'

const { holds, isCaught } = simulate(t, new URL('./projection.ts', import.meta.url))

t.test('two projectors that crash at any point project each event once', async t => {
  await holds(t, 'all events')
})

t.test('events that are trimmed unread are reported as lost, and all others are projected', async t => {
  await holds(t, 'events are trimmed')
})

t.test('without one of its rules the protocol fails', async t => {
  await isCaught(t, 'the position is not compared')
  await isCaught(t, 'the position is moved after the rows')
  await isCaught(t, 'the position is moved before the rows')
  await isCaught(t, 'a gap is passed before it is recorded')
})
