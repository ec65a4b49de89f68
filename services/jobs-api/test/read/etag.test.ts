import t from 'tap'
import { etagOf } from '../../src/read/etag.ts'

t.test('a job without an event has a tag too', async t => {
  t.equal(etagOf(null), '"0-0"')
  t.equal(etagOf('5-1'), '"5-1"')
})
