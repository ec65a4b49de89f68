import t from 'tap'
import { redeemedTicketKey, ticketKey } from '@tidings/contracts'
import { startRedis, until } from '@tidings/testing'
import { createTickets } from '../../src/admission/tickets.ts'

const redis = (await startRedis(t)).client()
const tickets = createTickets(redis)
const first = { scope: '/events', isReturning: false }
const again = { scope: '/events', isReturning: true }
const tokenOf = async (...of: Parameters<typeof tickets.redeem>) => (await tickets.redeem(...of))?.token

t.test('a ticket opens one stream, and the same stream again when it reconnects', async t => {
  const ticket = await tickets.issue({ token: 'a.secret.token' })
  t.equal(await tokenOf(ticket, first), 'a.secret.token')
  t.equal(await tokenOf(ticket, first), undefined, 'no second stream')
  for (let i = 0; i < 3; i++) t.equal(await tokenOf(ticket, again), 'a.secret.token')
  t.equal(await tokenOf(ticket, { scope: '/jobs/a/stream', isReturning: true }), undefined, 'no other stream')
  t.equal(await tokenOf('nonsense', again), undefined)
})

t.test('a stream that never started leaves its ticket unused', async t => {
  const ticket = await tickets.issue({ token: 'a.secret.token' })
  const redeemed = await tickets.redeem(ticket, first)
  redeemed?.restore()
  await until(async () => await tokenOf(ticket, first) === 'a.secret.token')
  const returned = await tickets.redeem(ticket, again)
  returned?.restore()
  t.equal(await tokenOf(ticket, first), undefined, 'a reconnect does not')
})

t.test('it expires after a minute, a redeemed one with its token, and Redis stores neither in clear text', async t => {
  await redis.flushall()
  const ticket = await tickets.issue({ token: 'a.secret.token' })
  const [key] = await redis.keys('*ticket*')
  const ttl = await redis.ttl(key as string)
  t.ok(ttl > 50 && ttl <= 60)
  const redeemed = await tickets.redeem(ticket, first)
  redeemed?.keepUntil(Date.now() + 3_600_000)
  const [kept] = await redis.keys('*ticket*')
  await until(async () => await redis.ttl(kept as string) <= 3600)
  t.notMatch(`${kept} ${await redis.get(kept as string)}`, /secret/)
  t.notOk(`${kept} ${await redis.get(kept as string)}`.includes(ticket))
})

t.test('a foreign value in its place is not a ticket', async t => {
  const ticket = await tickets.issue({ token: 'a.secret.token' })
  const [key] = (await redis.keys('*ticket*')).filter(key => !key.endsWith('redeemed'))
  const hash = (key as string).slice(ticketKey('').length)
  for (const junk of ['', 'short', 'x'.repeat(100)]) {
    await redis.set(ticketKey(hash), junk)
    t.equal(await tokenOf(ticket, first), undefined)
    await redis.set(redeemedTicketKey(hash), junk)
    t.equal(await tokenOf(ticket, again), undefined)
  }
  for (const name of [ticketKey(hash), redeemedTicketKey(hash)]) {
    await redis.del(name)
    await redis.sadd(name, 'a set')
  }
  t.equal(await tokenOf(ticket, again), undefined)
})
