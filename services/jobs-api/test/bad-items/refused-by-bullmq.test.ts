import t from 'tap'
import { isRefusedByBullMQ } from '../../src/bad-items/refused-by-bullmq.ts'

t.test('refusals by BullMQ are distinguished from faults of Redis and of the connection', async t => {
  t.ok(isRefusedByBullMQ(new Error('Priority should be between 0 and 2097151')))
  for (const err of [
    new Error('Connection is closed.'), new Error('Stream isn\'t writeable and enableOfflineQueue options is false'),
    new Error('Command timed out'), new Error('OOM command not allowed'),
    Object.assign(new Error('reset'), { code: 'ECONNRESET' })
  ]) {
    t.notOk(isRefusedByBullMQ(err), err.message)
  }
})
