import t from 'tap'
import { startRedis } from '@tidings/testing'
import { createTickets } from '../../src/auth/tickets.ts'

const redis = (await startRedis(t)).client()
const tickets = createTickets(redis)

t.test('a ticket gives its token once', async t => {
  const ticket = await tickets.issue('a.secret.token')
  t.equal(await tickets.redeem(ticket), 'a.secret.token')
  t.equal(await tickets.redeem(ticket), undefined)
  t.equal(await tickets.redeem('nonsense'), undefined)
})

t.test('it ends after a minute, and Redis knows neither ticket nor token', async t => {
  const ticket = await tickets.issue('a.secret.token')
  const [key] = await redis.keys('*ticket*')
  const ttl = await redis.ttl(key as string)
  t.ok(ttl > 50 && ttl <= 60)
  const kept = `${key} ${await redis.get(key as string)}`
  t.notOk(kept.includes('secret') || kept.includes(ticket))
})
