import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import Fastify from 'fastify'
import { createLoops } from '@tidings/service-kit'
import { startRedis, until } from '@tidings/testing'
import { holdLease } from '../../src/lease/hold-lease.ts'

const log = Fastify().log
const redis = await startRedis(t)

function holder ({ client = redis.client({ enableOfflineQueue: false, commandTimeout: 2000 }), ttlMs = 2000 } = {}) {
  let working = 0
  const lease = holdLease({
    redis: client,
    key: 'lease',
    ttlMs,
    loops: createLoops({ log }),
    log,
    work: async signal => {
      working++
      await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
      working--
    }
  })
  return { lease, client, get working () { return working } }
}

t.test('one holder works; when it stops, the next starts at once', async t => {
  const first = holder()
  await until(() => first.working === 1)
  const second = holder()
  await until(() => redis.client().exists('lease'))
  t.equal(second.working, 0)
  await first.lease.stop()
  t.equal(first.working, 0)
  await until(() => second.working === 1)
  await second.lease.stop()
  t.equal(await redis.client().exists('lease'), 0)
})

t.test('a holder that lost its lease to another one stops working', async t => {
  const first = holder()
  await until(() => first.working === 1)
  await redis.client().set('lease', 'another holder')
  await until(() => first.working === 0)
  await redis.client().del('lease') // it expired
  await until(() => first.working === 1)
  await first.lease.stop()
  t.pass('and takes it again later')
})

t.test('the holder continues to work while Redis is away', async t => {
  const first = holder()
  await until(() => first.working === 1)
  redis.pause()
  await t.rejects(first.client.get('lease'))
  t.equal(first.working, 1)
  redis.resume()
  await first.lease.stop()
  t.equal(first.working, 0)
})

t.test('a lease that expires while Redis is away goes back to its former holder, if that is still there', async t => {
  const retryStrategy = (ms: number) => () => ms
  const connect = (ms: number) => redis.client({ enableOfflineQueue: false, retryStrategy: retryStrategy(ms) })
  const first = holder({ client: connect(1500), ttlMs: 500 })
  await until(() => first.working === 1)
  const second = holder({ client: connect(20), ttlMs: 500 })
  for (let n = 0; n < 2; n++) {
    await redis.kill()
    await sleep(600)
    await redis.restart()
    await until(async () => await redis.client().exists('lease') === 1)
    t.same([first.working, second.working], [1, 0])
  }
  await redis.kill()
  await sleep(600)
  await first.lease.stop()
  await redis.restart()
  await until(() => second.working === 1)
  await second.lease.stop()
})

t.test('the lease of an ended process passes on long before it expires', async t => {
  const first = holder({ ttlMs: 600_000 })
  await until(() => first.working === 1)
  const second = holder({ ttlMs: 2000 })
  first.client.disconnect() // a SIGKILL, as Redis sees it
  await until(() => second.working === 1)
  await second.lease.stop()
  await first.lease.stop()
  t.equal(second.working, 0)
})

t.test('a holder that only lost its connection reconnects and keeps its lease', async t => {
  const [first, second] = [holder({ ttlMs: 5000 }), holder({ ttlMs: 5000 })]
  await until(() => first.working + second.working === 1)
  const holding = first.working === 1 ? first : second
  const before = await redis.client().get('lease')
  await redis.client().client('KILL', 'ID', Number(before?.split(' ')[1]))
  await until(async () => {
    const now = await redis.client().get('lease')
    return now !== before && now?.split(' ')[0] === before?.split(' ')[0]
  }, { what: 'it to reconnect' })
  await sleep(2500) // longer than the other would wait: it checks every second, then waits one more
  t.equal(holding.working, 1)
  t.equal(first.working + second.working, 1)
  for (const { lease } of [first, second]) await lease.stop()
})

t.test('without the right to list connections a holder works too, and its lease passes on when it expires', async t => {
  await redis.client().call('ACL', 'SETUSER', 'limited', 'on', 'nopass', '~*', '&*', '+@all', '-client')
  const limited = () => redis.client({
    username: 'limited', password: 'any', enableOfflineQueue: false, commandTimeout: 2000
  })
  const first = holder({ client: limited() })
  await until(() => first.working === 1)
  const second = holder({ client: limited() })
  first.client.disconnect()
  await until(() => second.working === 1)
  await second.lease.stop()
  await first.lease.stop()
  t.equal(second.working, 0)
})

t.test('work that does not end is not started again: the replica says so, and another one has the lease', async t => {
  const loops = createLoops({ log })
  let started = 0
  const client = redis.client({ enableOfflineQueue: false, commandTimeout: 2000 })
  const work = async () => {
    started++
    await new Promise(() => {})
  }
  const stuck = holdLease({ redis: client, key: 'stuck', ttlMs: 2000, work, loops, log, endTimeoutMs: 20 })
  await until(() => started === 1)
  await redis.client().set('stuck', 'another holder')
  await until(() => /^end of the work under lease stuck: no step has ended/.test(loops.fault() ?? ''))
  await redis.client().del('stuck')
  await t.rejects(stuck.rest(0), { name: 'StepTimeout' })
  t.equal(started, 1)
  t.equal(await redis.client().exists('stuck'), 0)
  await t.rejects(stuck.stop(), { name: 'StepTimeout' })
})
