import t from 'tap'
import { createResolve } from '../../src/egress/resolve.ts'
import { startDnsServer } from './dns-server.ts'

t.test('a name has the addresses that the DNS servers say at that moment', async t => {
  let addresses = ['192.0.2.1', '192.0.2.2']
  const server = await startDnsServer(t, () => addresses)
  const resolve = createResolve({ servers: [server] })
  t.same((await resolve('receiver.test')).sort(), ['192.0.2.1', '192.0.2.2'])
  addresses = ['192.0.2.3']
  t.same(await resolve('receiver.test'), ['192.0.2.3'])
})

t.test('who asks for a name that is being asked for shares the answer', async t => {
  let queries = 0
  const server = await startDnsServer(t, () => {
    queries++
    return ['192.0.2.1']
  })
  const resolve = createResolve({ servers: [server] })
  await Promise.all(Array.from({ length: 20 }, () => resolve('receiver.test')))
  t.equal(queries, 2, 'one of A, one of AAAA')
})

t.test('a name that nobody knows is an error', async t => {
  const server = await startDnsServer(t, () => undefined)
  await t.rejects(createResolve({ servers: [server] })('nobody.test'), { code: 'ENOTFOUND' })
})

t.test('localhost is found the system\'s way', async t => {
  const addresses = await createResolve()('localhost')
  t.ok(addresses.every(address => ['127.0.0.1', '::1'].includes(address)))
})
