import fc from 'fast-check'
import t from 'tap'
import { topLevelField } from '../../../src/relay/ownership/large-job-data.ts'

t.test('a field of an object is found as by JSON.parse', async t => {
  await fc.assert(fc.asyncProperty(fc.json(), fc.jsonValue(), fc.string(), async (before, value, text) => {
    const after = `"after":[${before},{"userId":"nested"}]`
    const json = `{${JSON.stringify(text)}:${before},"userId":${JSON.stringify(value)},${after}}`
    const parsed = (JSON.parse(json) as { userId: unknown }).userId
    const wanted = JSON.stringify(value).length > 1000 ? undefined : parsed
    t.same(await topLevelField(Buffer.from(json), 'userId'), wanted)
  }), { seed: 7, numRuns: 200 })
})

t.test('the last field of a name counts, whitespace is allowed, and invalid JSON has no field', async t => {
  const find = async (text: string) => await topLevelField(Buffer.from(text), 'userId')
  t.equal(await find(' { "userId" : 1 , "userId" : 2 } '), 2)
  t.equal(await find('{"a":"\\\\","userId":"\\u0061"}'), 'a')
  for (const text of [
    '', '[]', '"userId"', '{', '{"userId"', '{"userId":', '{"userId":}', '[{"userId":1}]', '{"a":"userId"}',
    '{"a":"x","b":{"userId":1}}', '"\\'
  ]) {
    t.equal(await find(text), undefined, text)
  }
})
