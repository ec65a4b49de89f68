import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { fuzzParsers, json, near, orThrows, row } from '@tidings/testing/fuzz'
import { UsageError } from '../src/failure.ts'
import { memberText, parseExact, parseFrame } from '../src/exact-json.ts'
import { checkSecret } from '../src/listen/sign.ts'
import {
  parseDuration, parseEventId, parseInteger, parseIsoMoment, parseList, printable, shortened
} from '../src/text.ts'

await fuzzParsers(t, [
  row('parseExact, parseFrame', near('{"event":"job:progress","data":{"progress":1e400,"a":"\\u0000"}}'), text => {
    orThrows(SyntaxError, () => parseFrame(text))
    orThrows(SyntaxError, () => parseExact(text))
  }),
  row('memberText', fc.dictionary(near('data', 'a"b'), json), object => {
    const text = JSON.stringify(object, null, 1)
    for (const name of Object.keys(object)) {
      assert.deepEqual(JSON.parse(memberText(text, name) ?? ''), (JSON.parse(text) as typeof object)[name])
    }
  }),
  row('parseDuration, parseIsoMoment', near('250ms', '2h', '999999999d', '2026-01-31T12:00:00Z'), text => {
    const ms = parseDuration(text)
    assert.ok(ms === undefined || ms >= 0)
    const moment = orThrows(UsageError, () => parseIsoMoment('--since', text))
    assert.ok(moment === undefined || !Number.isNaN(Date.parse(moment)))
  }),
  row('parseEventId, parseInteger, parseList', near('1640995200000-0', '17', 'a,b'), text => {
    orThrows(UsageError, () => parseEventId('--after', text))
    const integer = orThrows(UsageError, () => parseInteger('--limit', text))
    assert.ok(integer === undefined || (Number.isSafeInteger(integer) && integer >= 0))
    assert.ok(parseList(text).every(Boolean))
  }),
  row('printable, shortened', near('\u001b[31mred\u001b[0m'), text => {
    // eslint-disable-next-line no-control-regex -- these are what must not be there
    assert.doesNotMatch(shortened(printable(text), 20), /[\u0000-\u001f\u007f-\u009f]/)
  }),
  row('checkSecret', near('whsec_c2VjcmV0'), text => { orThrows(UsageError, () => checkSecret(text)) })
])
