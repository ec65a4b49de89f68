import type { IncomingMessage } from 'node:http'
import t from 'tap'
import { clientAddress, isSameOrigin } from '../../src/admission/forwarded.ts'

const request = (headers: Record<string, string>, remoteAddress = '203.0.113.9', encrypted = false) =>
  ({ headers, socket: { remoteAddress, encrypted } }) as unknown as IncomingMessage

t.test('a page of the requested origin is of the same origin', async t => {
  const same: [string, Record<string, string>, string?, boolean?][] = [
    ['http://app.example:4002', { host: 'app.example:4002' }],
    ['https://app.example', { host: 'app.example' }],
    ['https://app.example', { host: 'app.example:443' }, '203.0.113.9', true],
    ['http://app.example', { host: 'APP.example:80' }],
    ['http://[::1]:4002', { host: '[::1]:4002' }],
    [
      'https://app.example', { host: 'gateway:4002', 'x-forwarded-host': 'app.example', 'x-forwarded-proto': 'https' },
      '::ffff:10.0.0.7'
    ],
    ['https://app.example', { host: 'app.example', 'x-forwarded-proto': 'https, http' }, '127.0.0.1']
  ]
  for (const [origin, headers, address, encrypted] of same) {
    t.ok(isSameOrigin(origin, request(headers, address, encrypted)), JSON.stringify([origin, headers]))
  }
})

t.test('a page of any other origin is not', async t => {
  const others: [string, Record<string, string>, string?, boolean?][] = [
    ['http://evil.example', { host: 'app.example' }],
    ['http://app.example:4003', { host: 'app.example:4002' }],
    ['http://app.example', { host: 'app.example:4002' }],
    ['http://app.example.evil.example', { host: 'app.example' }],
    ['http://app.example@evil.example', { host: 'app.example' }],
    ['null', { host: 'null' }],
    ['', { host: '' }],
    ['https://app.example', {}],
    ['ftp://app.example', { host: 'app.example' }],
    // A page that could have been changed on the way
    ['http://app.example', { host: 'app.example' }, '203.0.113.9', true],
    ['http://app.example', { host: 'app.example', 'x-forwarded-proto': 'https' }, '10.0.0.7'],
    ['https://app.example', { host: 'gateway', 'x-forwarded-host': 'app.example' }] // not set by a proxy of ours
  ]
  for (const [origin, headers, address, encrypted] of others) {
    t.notOk(isSameOrigin(origin, request(headers, address, encrypted)), JSON.stringify([origin, headers]))
  }
})

t.test('the client is the nearest address outside the private network', async t => {
  const addressOf = (peer: string, forwarded?: string) => clientAddress(
    request(forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }, peer)
  )
  t.equal(addressOf('203.0.113.9'), '203.0.113.9')
  t.equal(addressOf('203.0.113.9', '1.2.3.4'), '203.0.113.9', 'a header of the client itself is ignored')
  t.equal(addressOf('10.0.0.7', '1.2.3.4, 198.51.100.3, 10.0.0.9'), '198.51.100.3')
  t.equal(addressOf('::ffff:127.0.0.1', '192.168.1.5'), '192.168.1.5')
  t.equal(addressOf('127.0.0.1'), '127.0.0.1')
})
