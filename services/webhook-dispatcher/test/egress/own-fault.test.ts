import { execFile } from 'node:child_process'
import { networkInterfaces } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startReceiver } from '@tidings/testing'
import t from 'tap'
import { ownFaultOf } from '../../src/egress/own-fault.ts'

const failed = (code: string, address = '192.0.2.1') => Object.assign(new Error(code), { code, address })
const hasIPv6 = Object.values(networkInterfaces()).flat().some(it => it?.family === 'IPv6' && /^[23]/.test(it.address))

t.test('to be without descriptors, memory, ports or a network is a fault of ours', async t => {
  for (const code of ['EMFILE', 'ENFILE', 'ENOMEM', 'ENOBUFS', 'EADDRNOTAVAIL']) {
    t.match(ownFaultOf([failed(code)]), { reason: 'resources' }, code)
  }
  for (const code of ['ENETDOWN', 'ENETUNREACH', 'EPERM']) {
    t.match(ownFaultOf([failed(code)]), { reason: 'network' }, code)
  }
  t.match(
    ownFaultOf([failed('ECONNREFUSED'), failed('EMFILE')]),
    { reason: 'resources' },
    'one of the addresses could not be tried'
  )
})

t.test('what an endpoint does is none', async t => {
  for (const code of ['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ETIMEDOUT']) {
    t.equal(ownFaultOf([failed(code)]), undefined, code)
  }
  t.equal(ownFaultOf([failed('ENETUNREACH'), failed('ECONNREFUSED')]), undefined, 'one of its addresses was reached')
  t.equal(ownFaultOf([]), undefined)
})

t.test('nor is it that there is no IPv6 here', { skip: hasIPv6 && 'there is' }, async t => {
  t.equal(
    ownFaultOf([failed('ENETUNREACH', '2001:db8::1')]), undefined, 'the owner of an IPv6-only endpoint sees the error'
  )
  t.equal(ownFaultOf([failed('ECONNREFUSED', '127.0.0.1'), failed('EADDRNOTAVAIL', '::1')]), undefined)
  t.match(ownFaultOf([failed('ENETUNREACH', '2001:db8::1'), failed('ENETUNREACH')]), { reason: 'network' })
})

t.test('an attempt without a file descriptor is released, and made once there is one', {
  skip: process.platform === 'win32'
}, async t => {
  const receiver = await startReceiver(t)
  const script = fileURLToPath(new URL('descriptors.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(
    '/bin/sh', ['-c', 'ulimit -n 100 && exec "$0" "$@"', process.execPath, script, receiver.url]
  )
  t.match(JSON.parse(stdout), { reason: 'resources', message: /EMFILE/, ok: true })
  t.equal(receiver.requests.length, 1)
})
