import fc from 'fast-check'
import t from 'tap'
import { memberText, parseExact, parseFrame, VALUE_TEXT } from '../src/exact-json.ts'

t.test('numbers keep their text', async t => {
  const text = '{"a":12345678901234567890,"b":1.0,"c":1e400,"d":-0,"e":3,"f":[0.1,1E2]}'
  t.equal(JSON.stringify(parseExact(text)), text)
})

t.test('a member has the text that stands in the object', async t => {
  const inner = '{"c":"}\\"]", "2": [1, {"x":"{"}]}'
  t.equal(memberText(`{ "a" : 1.0 , "b" : ${inner} }`, 'b'), inner)
  t.equal(memberText('{"a":1,"a":2.0}', 'a'), '2.0')
  t.equal(memberText('{"\\u0061":true}', 'a'), 'true')
  t.equal(memberText('{"a":null}', 'b'), undefined)
  t.equal(memberText('{}', 'a'), undefined)
})

t.test('the text of a member is that of its value, whatever stands around it', async t => {
  const object = fc.dictionary(fc.string(), fc.jsonValue())
  await fc.assert(fc.asyncProperty(object, fc.jsonValue(), fc.constantFrom(0, 1, 3), async (around, value, indent) => {
    const text = JSON.stringify({ ...around, value }, undefined, indent)
    const found = memberText(text, 'value')
    t.same(JSON.parse(found ?? ''), JSON.parse(JSON.stringify(value)))
    if (indent === 0) t.equal(found, JSON.stringify(value))
  }), { numRuns: 300 })
})

t.test('frames keep the text of what the worker wrote, in and out of an envelope', async t => {
  const data = '{"eventId":"1-0","result":{"b":1.0,"1":[ ]},"timestamp":1}'
  t.match(parseFrame(data), { [VALUE_TEXT]: '{"b":1.0,"1":[ ]}' })
  t.match(parseFrame(`{"event":"job:completed","data":${data}}`), { data: { [VALUE_TEXT]: '{"b":1.0,"1":[ ]}' } })
  t.equal(parseFrame('null'), null)
})
