import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { TestContext } from '@tidings/testing'

const TYPE_A = 1
const HEADER_BYTES = 12
const NAME_ERROR = 3

/** A DNS server that answers A queries with what `answer` gives at that moment; undefined: no such name. Resolves to its address. */
export async function startDnsServer (t: TestContext, answer: (name: string) => string[] | undefined): Promise<string> {
  const socket = createSocket('udp4')
  socket.on('message', (query, peer) => { socket.send(answerTo(query, answer), peer.port, peer.address) })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => { socket.close() })
  return `127.0.0.1:${socket.address().port}`
}

function answerTo (query: Buffer, answer: (name: string) => string[] | undefined): Buffer {
  const { name, type, end } = question(query)
  const addresses = answer(name)
  const records = type === TYPE_A ? (addresses ?? []).map(record) : []
  const header = Buffer.alloc(HEADER_BYTES)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(0x8180 | (addresses ? 0 : NAME_ERROR), 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(records.length, 6)
  return Buffer.concat([header, query.subarray(HEADER_BYTES, end), ...records])
}

function question (query: Buffer): { name: string, type: number, end: number } {
  const labels: string[] = []
  let at = HEADER_BYTES
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('ascii', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 }
}

/** An A record without time to live, for the name that the question holds. */
function record (address: string): Buffer {
  return Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)])
}
