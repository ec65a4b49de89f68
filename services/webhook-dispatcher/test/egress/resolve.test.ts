import t from 'tap'
import { createResolve } from '../../src/egress/resolve.ts'
import { startDnsServer, type DnsAnswer } from './dns-server.ts'

t.test('a name has the addresses that the DNS servers say at that moment', async t => {
  let addresses = ['192.0.2.1', '192.0.2.2']
  const server = await startDnsServer(t, () => addresses)
  const resolve = createResolve({ servers: [server] })
  t.same((await resolve('receiver.test')).addresses.sort(), ['192.0.2.1', '192.0.2.2'])
  addresses = ['192.0.2.3']
  t.same((await resolve('receiver.test')).addresses, ['192.0.2.3'])
})

t.test('concurrent queries for a name share the answer', async t => {
  let queries = 0
  const server = await startDnsServer(t, () => {
    queries++
    return ['192.0.2.1']
  })
  const resolve = createResolve({ servers: [server] })
  await Promise.all(Array.from({ length: 20 }, () => resolve('receiver.test')))
  t.equal(queries, 2, 'one of A, one of AAAA')
})

t.test('an answer is kept as long as it says', async t => {
  const asked: string[] = []
  const server = await startDnsServer(t, name => {
    asked.push(name)
    return { addresses: ['192.0.2.1', '2001:db8::1'], ttl: name === 'kept.test' ? 3600 : 0 }
  })
  const resolve = createResolve({ servers: [server] })
  for (let i = 0; i < 3; i++) {
    await resolve('kept.test')
    const { later } = await resolve('moving.test')
    await later
  }
  t.equal(asked.filter(name => name === 'kept.test').length, 2)
  t.equal(asked.filter(name => name === 'moving.test').length, 6)
})

t.test('IPv4 does not wait for an answer about IPv6 that never comes', async t => {
  const silent = await startDnsServer(t, (_name, { type }) => type === 'A' ? ['192.0.2.1'] : 'silence')
  for (const servers of [[silent], [silent, silent]]) {
    const resolve = createResolve({ servers })
    const started = performance.now()
    t.same((await resolve('receiver.test')).addresses, ['192.0.2.1'])
    t.ok(performance.now() - started < 1000, 'before a query times out')
  }
})

t.test('nor does IPv6 wait for IPv4; what comes later is added', async t => {
  const answered = Promise.withResolvers<void>()
  const server = await startDnsServer(t, async (_name, { type }) => {
    if (type === 'A') await answered.promise
    return ['192.0.2.1', '2001:db8::1']
  })
  const { addresses, later } = await createResolve({ servers: [server] })('receiver.test')
  t.same(addresses, ['2001:db8::1'])
  answered.resolve()
  t.same(await later, ['192.0.2.1'])
})

t.test('a name that nobody knows is a fault of the host', async t => {
  const server = await startDnsServer(t, () => undefined)
  await t.rejects(createResolve({ servers: [server] })('nobody.test'), { errorClass: 'dns', message: /ENOTFOUND/ })
})

t.test('a name without addresses is too, even where the other question is not answered', async t => {
  const server = await startDnsServer(t, (_name, { type }) => type === 'A' ? [] : 'SERVFAIL')
  await t.rejects(createResolve({ servers: [server] })('empty.test'), { errorClass: 'dns', message: /ENODATA/ })
})

for (const answer of ['SERVFAIL', 'REFUSED', 'silence'] as const) {
  t.test(`servers that answer ${answer} to everything are a fault of ours`, async t => {
    const server = await startDnsServer(t, () => answer)
    await t.rejects(
      createResolve({ servers: [server] })('receiver.test', 1000), { name: 'OwnFault', reason: 'resolver' }
    )
  })

  t.test(`a name for which they answer ${answer} is the host's fault while others are found`, async t => {
    const server = await startDnsServer(t, name => name.endsWith('.broken.test') ? answer : ['192.0.2.1'])
    const resolve = createResolve({ servers: [server] })
    await resolve('well.other.test')
    await t.rejects(resolve('hooks.broken.test', 1000), { name: 'EgressError', errorClass: 'dns' })
  })

  t.test(`or while the root is, where none was found before (${answer})`, async t => {
    const server = await startDnsServer(t, name => name === '' ? [] : answer)
    await t.rejects(
      createResolve({ servers: [server] })('receiver.test', 1000), { name: 'EgressError', errorClass: 'dns' }
    )
  })
}

t.test('no server at all is a fault of ours', async t => {
  await t.rejects(
    createResolve({ servers: ['127.0.0.1:1'] })('receiver.test', 1000), { name: 'OwnFault', reason: 'resolver' }
  )
})

t.test('while the servers are away, the last answer counts', async t => {
  let answer: DnsAnswer = ['192.0.2.1']
  const server = await startDnsServer(t, () => answer)
  const resolve = createResolve({ servers: [server] })
  t.same((await resolve('receiver.test')).addresses, ['192.0.2.1'])
  answer = 'SERVFAIL'
  t.same((await resolve('receiver.test')).addresses, ['192.0.2.1'])
})

t.test('localhost is found the system\'s way', async t => {
  const { addresses } = await createResolve()('localhost')
  t.ok(addresses.length > 0 && addresses.every(address => ['127.0.0.1', '::1'].includes(address)))
})
