import t from 'tap'
import { durationMs } from '../src/duration.ts'

t.test('reads durations as the configuration writes them', async t => {
  t.same(['250ms', '10s', ' 5m', '1h', '5d'].map(durationMs), [250, 10_000, 300_000, 3_600_000, 432_000_000])
  for (const text of ['', '10', '1 s', '-1s', '1w']) t.throws(() => durationMs(text), TypeError)
})
