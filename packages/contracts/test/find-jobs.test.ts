import t from 'tap'
import { decodeFoundJobs, encodeFoundJobs, MAX_FOUND_BYTES } from '../src/index.ts'

t.test('the texts of jobs arrive unchanged, in their order', t => {
  const texts = ['{"id":"a","result":1152921506151679042}', undefined, '{\n  "id": "ü\u2028"\n}']
  t.same(decodeFoundJobs(encodeFoundJobs(texts)), [texts[0], 'none', texts[2]])
  t.end()
})

t.test('a job that does not fit is left for later, and a first job is returned however large it is', t => {
  const large = `"${'x'.repeat(MAX_FOUND_BYTES)}"`
  t.same(decodeFoundJobs(encodeFoundJobs([large, '{}', undefined])), [large, 'later', 'none'])
  t.same(decodeFoundJobs(encodeFoundJobs(['{}', large, '{}'])), ['{}', 'later', '{}'])
  t.end()
})

t.test('bytes that are not such a response are an error', t => {
  for (const text of ['', 'nonsense', '{}\n', '["1"]\n', '[5]\n{}', 'null\n']) {
    t.throws(() => decodeFoundJobs(Buffer.from(text)), text)
  }
  t.end()
})
