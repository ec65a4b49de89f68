import t from 'tap'
import { until } from '../src/index.ts'

t.test('returns the first truthy value', async t => {
  let calls = 0
  t.equal(await until(() => ++calls === 3 && 'third', { intervalMs: 1 }), 'third')
})

t.test('fails with what it waited for and the last error', async t => {
  const waiting = until(() => { throw new Error('not yet') }, { timeoutMs: 20, intervalMs: 5, what: 'the moon' })
  await t.rejects(waiting, { message: 'waited 20 ms in vain for the moon', cause: { message: 'not yet' } })
})
