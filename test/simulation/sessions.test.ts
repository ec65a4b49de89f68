import t from 'tap'
import { simulate } from './schedules.ts'

const { holds, isCaught } = simulate(t, new URL('./sessions.ts', import.meta.url))

t.test('each event is received once, in order, by clients that roam between dying gateways', async t => {
  await holds(t, 'lossless')
})

t.test('what was trimmed or lost meanwhile is reported as a gap, and nothing else is', async t => {
  await holds(t, 'lossy')
})

t.test('without one of its rules the protocol fails', async t => {
  for (const rule of [
    'live events are not buffered during a resume',
    'live events are not compared with the position',
    'buffered events are dropped',
    'an overflow of the buffer is ignored',
    'every history is taken as complete',
    'a history is checked before it is read',
    'a gap in the stream ends no session',
    'trimming leaves no low-water mark'
  ]) {
    await isCaught(t, rule)
  }
})
