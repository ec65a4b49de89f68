import t from 'tap'
import { hasEtag } from '../src/index.ts'

t.test('If-None-Match is a tag, a list of tags, or a star; weak or strong', async t => {
  for (const header of ['"5-1"', 'W/"5-1"', '"4-0", "5-1"', '"4-0",W/"5-1"', '*']) {
    t.ok(hasEtag(header, '"5-1"'), header)
  }
  for (const header of [undefined, '', '5-1', '"5-10"', '"5-1']) t.notOk(hasEtag(header, '"5-1"'), String(header))
})
