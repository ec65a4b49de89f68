import t from 'tap'
import type { JsonText } from '@tidings/contracts'
import { isTooDeep, jsonValue } from '../../../src/relay/mapping/json-value.ts'

t.test('JSON stays as the worker wrote it', async t => {
  for (const text of [
    '1152921506151679042', '1.0', '-0', '1e400', '{ "b": 1, "a": 2, "b": 3 }', '{"__proto__":1}', '"\\ud800\\u0000"',
    'null', ' 5 '
  ]) {
    t.equal(jsonValue(text), text)
  }
})

t.test('text that is not JSON becomes a JSON string of it', async t => {
  for (const text of ['NaN', 'Infinity', '-Infinity', '{"a": NaN}', 'done', '{no json', '\ufeff1', '01', "{'a': 1}"]) {
    t.equal(jsonValue(text), JSON.stringify(text))
  }
})

t.test('an empty text is null', async t => {
  t.equal(jsonValue(undefined), 'null')
  t.equal(jsonValue(''), 'null')
})

t.test('line breaks between tokens become spaces', async t => {
  t.equal(jsonValue('{\r\n  "a":\n"b\\nc"\n}'), '{   "a": "b\\nc" }')
})

t.test('only values nested deeper than 1,000 levels are too deep', async t => {
  const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}` as JsonText
  t.notOk(isTooDeep(nested(1000)))
  t.ok(isTooDeep(nested(1001)))
  t.ok(isTooDeep(nested(30_000)))
  t.notOk(isTooDeep(JSON.stringify(Array.from({ length: 2000 }, () => [{}])) as JsonText), 'beside each other')
  t.notOk(isTooDeep(JSON.stringify(`"\\${'['.repeat(5000)}`) as JsonText), 'in a string')
})
