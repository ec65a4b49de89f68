import t from 'tap'
import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { race, type Dial } from '../../src/egress/race.ts'

const NEVER = new AbortController().signal

/** Addresses whose connects take so long, fail, or never end; each socket that is opened is destroyed in the end. */
function network (hosts: Record<string, number | 'refuses' | 'hangs'>) {
  const dialled: string[] = []
  const abandoned: string[] = []
  const dial: Dial = async (address, signal) => {
    dialled.push(address)
    const host = hosts[address]
    if (host === 'refuses') throw Object.assign(new Error(address), { code: 'ECONNREFUSED', address })
    try {
      await sleep(host === 'hangs' ? 60_000 : host, undefined, { signal })
    } catch (err) {
      abandoned.push(address)
      throw err
    }
    return new Socket()
  }
  const options = { dial, isAllowed: () => true, signal: NEVER }
  const run = async (
    addresses: string[], later?: Promise<string[]>, more: Partial<typeof options> & { preferred?: string } = {}
  ) =>
    await race({ addresses, later }, { ...options, ...more })
  return { dialled, abandoned, run }
}

t.test('an address that takes long to connect is waited for', async t => {
  const { run } = network({ '192.0.2.1': 1000, '2001:db8::1': 'refuses' })
  t.equal((await run(['192.0.2.1', '2001:db8::1'])).address, '192.0.2.1')
})

t.test('families take turns, IPv6 first, and one that fails is followed at once', async t => {
  const { dialled, run } = network({
    '192.0.2.1': 'refuses', '192.0.2.2': 'refuses', '2001:db8::1': 'refuses', '2001:db8::2': 'refuses'
  })
  const started = performance.now()
  await t.rejects(run(['192.0.2.1', '192.0.2.2', '2001:db8::1', '2001:db8::2']), { name: 'RaceLost' })
  t.same(dialled, ['2001:db8::1', '192.0.2.1', '2001:db8::2', '192.0.2.2'])
  t.ok(performance.now() - started < 250, 'nothing waits for a timer')
})

t.test('one that hangs has company after a while, and is closed once another has connected', async t => {
  const { abandoned, run } = network({ '192.0.2.1': 1, '2001:db8::1': 'hangs', '2001:db8::2': 'hangs' })
  t.equal((await run(['2001:db8::1', '192.0.2.1', '2001:db8::2'])).address, '192.0.2.1')
  await sleep(1)
  t.same(abandoned, ['2001:db8::1'])
})

t.test('one that was slow but is first after all wins', async t => {
  const { dialled, run } = network({ '192.0.2.1': 'hangs', '2001:db8::1': 600 })
  t.equal((await run(['2001:db8::1', '192.0.2.1'])).address, '2001:db8::1')
  t.same(dialled, ['2001:db8::1', '192.0.2.1'])
})

t.test('the address that has worked before is first', async t => {
  const { dialled, run } = network({ '192.0.2.1': 1, '192.0.2.2': 1, '2001:db8::1': 'hangs' })
  t.equal(
    (await run(['2001:db8::1', '192.0.2.1', '192.0.2.2'], undefined, { preferred: '192.0.2.2' })).address, '192.0.2.2'
  )
  t.same(dialled, ['192.0.2.2'])
  t.equal(
    (await run(['192.0.2.1'], undefined, { preferred: '192.0.2.9' })).address,
    '192.0.2.1',
    'unless it is the name\'s no more'
  )
})

t.test('addresses that are not allowed are not dialled', async t => {
  const { dialled, run } = network({ '192.0.2.1': 1 })
  await t.rejects(run(['192.0.2.1'], undefined, { isAllowed: () => false }), { name: 'RaceLost' })
  t.same(dialled, [])
})

t.test('of a name with a hundred addresses sixteen are tried', async t => {
  const addresses = Array.from({ length: 100 }, (_, i) => `192.0.2.${i}`)
  const { dialled, run } = network(Object.fromEntries(addresses.map(address => [address, 'refuses'])))
  await t.rejects(run(addresses), { name: 'RaceLost' })
  t.equal(dialled.length, 16)
})

t.test('addresses that are known later join, even when all others have failed', async t => {
  const { dialled, run } = network({ '192.0.2.1': 'refuses', '2001:db8::1': 1 })
  const late = async (addresses: string[]) => await sleep(20, addresses)
  t.equal((await run(['192.0.2.1'], late(['2001:db8::1']))).address, '2001:db8::1')
  await t.rejects(run(['192.0.2.1'], late([])), { name: 'RaceLost' })
  t.same(dialled, ['192.0.2.1', '2001:db8::1', '192.0.2.1'])
})

t.test('the signal ends all', async t => {
  const { abandoned, run } = network({ '192.0.2.1': 'hangs', '2001:db8::1': 'hangs' })
  await t.rejects(
    run(['192.0.2.1', '2001:db8::1'], undefined, { signal: AbortSignal.timeout(400) }), { name: 'TimeoutError' }
  )
  await sleep(1)
  t.same(abandoned.sort(), ['192.0.2.1', '2001:db8::1'])
})
