import t from 'tap'
import { readAnswer } from '../../../src/load/pollers/responses.ts'

t.test('reads a response once its body is complete', async t => {
  const bytes = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello')
  t.equal(readAnswer(bytes.subarray(0, 20)), undefined, 'incomplete head')
  t.equal(readAnswer(bytes.subarray(0, -1)), undefined, 'incomplete body')
  t.match(readAnswer(bytes), { status: 200, end: bytes.length })
})

t.test('a 304 has no body, whatever its content-length', async t => {
  t.match(readAnswer(Buffer.from('HTTP/1.1 304 Not Modified\r\nETag: "1-0"\r\n\r\n')), { status: 304 })
  const answer = readAnswer(Buffer.from('HTTP/1.1 304 Not Modified\r\ncontent-length: 300\r\n\r\n'))
  t.equal(answer?.end, answer?.bodyStart)
})

t.test('a response of unknown length is an error', async t => {
  t.throws(() => readAnswer(Buffer.from('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')), /content-length/)
})
