import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import type { TestContext } from '@tidings/testing'

const TYPE_A = 1
const TYPE_AAAA = 28
const HEADER_BYTES = 12
const RESPONSE_CODES = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const

export type Question = { name: string, type: 'A' | 'AAAA' | 'other' }
/**
 * Addresses (those of the family that is asked for are sent), with the seconds
 * they may be kept for; a response code; 'silence', or undefined: no such name.
 */
export type DnsAnswer = string[] | {
  addresses: string[], ttl: number
} | keyof typeof RESPONSE_CODES | 'silence' | undefined

/**
 * A DNS server that answers with what `answer` gives at that moment, or once that resolves. Resolves to its address.
 */
export async function startDnsServer (
  t: TestContext, answer: (name: string, question: Question) => DnsAnswer | Promise<DnsAnswer>
): Promise<string> {
  const socket = createSocket('udp4')
  let isClosed = false
  socket.on('message', (query, peer) => {
    const { name, type } = question(query)
    const kind = type === TYPE_A ? 'A' : type === TYPE_AAAA ? 'AAAA' : 'other'
    Promise.resolve(answer(name, { name, type: kind })).then(given => {
      if (given !== 'silence' && !isClosed) socket.send(answerTo(query, given), peer.port, peer.address)
    }, err => { throw err })
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => {
    isClosed = true
    socket.close()
  })
  return `127.0.0.1:${socket.address().port}`
}

function answerTo (query: Buffer, answer: Exclude<DnsAnswer, 'silence'>): Buffer {
  const { type, end } = question(query)
  const { addresses, ttl } = typeof answer === 'object' && 'ttl' in answer
    ? answer
    : {
        addresses: Array.isArray(answer) ? answer : [], ttl: 0
      }
  const records = addresses.filter(
    address => type === (isIPv6(address) ? TYPE_AAAA : TYPE_A)
  ).map(address => record(address, ttl))
  const code = answer === undefined ? RESPONSE_CODES.NXDOMAIN : typeof answer === 'string' ? RESPONSE_CODES[answer] : 0
  const header = Buffer.alloc(HEADER_BYTES)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(0x8180 | code, 2)
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

/** A record for the name that the question holds. */
function record (address: string, ttl: number): Buffer {
  const bytes = isIPv6(address) ? bytesOfIPv6(address) : address.split('.').map(Number)
  const head = Buffer.from([
    0xc0, HEADER_BYTES, 0, isIPv6(address) ? TYPE_AAAA : TYPE_A, 0, 1, 0, 0, 0, 0, 0, bytes.length
  ])
  head.writeUInt32BE(ttl, 6)
  return Buffer.concat([head, Buffer.from(bytes)])
}

function bytesOfIPv6 (address: string): number[] {
  const [left = '', right = ''] = address.split('::')
  const groups = (text: string) => text === '' ? [] : text.split(':').map(group => parseInt(group, 16))
  const [head, tail] = [groups(left), groups(right)]
  const all = [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail]
  return all.flatMap(group => [group >> 8, group & 0xff])
}
