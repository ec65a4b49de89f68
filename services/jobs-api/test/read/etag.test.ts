import t from 'tap'
import { etagOf, matches } from '../../src/read/etag.ts'

t.test('a job without an event has a tag too', async t => {
  t.equal(etagOf(null), '"0-0"')
  t.equal(etagOf('5-1'), '"5-1"')
})

t.test('If-None-Match is a tag, a list of tags, or a star; weak or strong', async t => {
  for (const header of ['"5-1"', 'W/"5-1"', '"4-0", "5-1"', '"4-0",W/"5-1"', '*']) {
    t.ok(matches(header, '"5-1"'), header)
  }
  for (const header of [undefined, '', '5-1', '"5-10"', '"5-1']) t.notOk(matches(header, '"5-1"'), String(header))
})
