import t from 'tap'
import { duration, isNewer, parseDuration, parseInteger, parseMoment, printable, shortened } from '../src/text.ts'

t.test('text of others does nothing to the terminal', async t => {
  t.equal(printable('a\u001b[31mred\u0007\nnext\u202eright'), 'a�[31mred� next�right')
})

t.test('text is cut between code points', async t => {
  t.equal(shortened('😀😀😀', 3), '😀😀😀')
  t.equal(shortened('😀😀😀😀', 3), '😀😀…')
  t.equal(shortened('abc', 3), 'abc')
})

t.test('durations are read and written', async t => {
  t.equal(parseDuration('2h'), 7_200_000)
  t.equal(parseDuration('1.5s'), 1500)
  for (const wrong of ['2', 'h', '-2h', '2 h', '2y', '']) t.equal(parseDuration(wrong), undefined, wrong)
  t.same([5, 5000, 65_000, 7_300_000, 200_000_000].map(duration), ['5ms', '5.0s', '1m', '2h', '2d'])
})

t.test('moments are dates, or as long ago as a duration says', async t => {
  t.equal(parseMoment('--since', '2h', 10_000_000), 2_800_000)
  t.equal(parseMoment('--since', '2026-01-31T12:00:00Z'), Date.UTC(2026, 0, 31, 12))
  t.throws(() => parseMoment('--since', 'yesterday'), { message: /--since .* not yesterday/ })
  t.throws(() => parseMoment('--since', '2026-13-01'), { message: /--since/ })
})

t.test('integers have bounds', async t => {
  t.equal(parseInteger('--limit', '7', { min: 1, max: 10 }), 7)
  for (const wrong of ['0', '11', '1.5', 'x', '', '1e1']) {
    t.throws(() => parseInteger('--limit', wrong, { min: 1, max: 10 }), { message: /--limit .* from 1 to 10/ }, wrong)
  }
})

t.test('ids of events are compared as pairs of numbers', async t => {
  t.ok(isNewer('10-0', '9-5') && isNewer('9-10', '9-9') && isNewer('1-0', null))
  t.notOk(isNewer('9-9', '9-9') || isNewer('9-9', '10-0'))
})
