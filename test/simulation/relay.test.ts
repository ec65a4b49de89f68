import t from 'tap'
import { simulate } from './schedules.ts'

const { holds, isCaught } = simulate(t, new URL('./relay.ts', import.meta.url))

t.test('two relays that crash at any point publish each entry of BullMQ once, in order', async t => {
  await holds(t, 'all entries')
})

t.test('entries that BullMQ trims unread are counted exactly, and all others are published', async t => {
  await holds(t, 'entries are trimmed')
})

t.test('without one of its rules the protocol fails', async t => {
  await isCaught(t, 'the append does not compare the position')
  await isCaught(t, 'the position is moved after the append')
  await isCaught(t, 'finished jobs are not marked')
})
