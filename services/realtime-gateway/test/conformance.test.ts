import t from 'tap'
import { compareEventIds, eventIdOf } from '@tidings/job-events'
import { tokenOf, until } from '@tidings/testing'
import { TRANSPORT_KINDS } from '../src/session/transport.ts'
import { connect } from './setup/transports.ts'
import { startGateway, startSurroundings } from './setup/gateway.ts'
import { Refused, type Client } from './setup/client.ts'

const surroundings = await startSurroundings(t)
const { jobs, redis } = surroundings
const { url } = await startGateway(t, surroundings, { CORS_ORIGIN: 'https://ours.example' })

let users = 0
const progressOf = (client: Client) => client.of('job:progress').map(({ progress }) => progress)
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)
const refused = (code: RegExp) => (err: unknown) => err instanceof Refused && code.test(err.code)

// The same cases over all three transports: the guarantees do not depend on the transport.
for (const kind of TRANSPORT_KINDS) {
  t.test(kind, async t => {
    const join = connect[kind]
    const newUser = () => `${kind}-${++users}`

    t.test('a client without a valid token is refused', async t => {
      await t.rejects(join(t, url, {}), { code: /token_missing|401/ })
      await t.rejects(join(t, url, { token: tokenOf(1, { secret: 'another' }) }), { code: /token_invalid|401/ })
      await t.rejects(join(t, url, { token: tokenOf(1, { expiresInMs: -60_000 }) }), { code: /token_expired|401/ })
    })

    t.test('a page of a foreign origin is refused', async t => {
      await t.rejects(join(t, url, { token: tokenOf(1), origin: 'https://theirs.example' }), { code: /connection|403/ })
      await t.resolves(join(t, url, { token: tokenOf(1), origin: 'https://ours.example' }))
    })

    t.test('in production without CORS_ORIGIN only pages of the gateway\'s own origin are admitted', async t => {
      const own = await startGateway(t, surroundings, { NODE_ENV: 'production' })
      await t.resolves(join(t, own.url, { token: tokenOf(1), origin: own.url }))
      await t.resolves(
        join(t, own.url, { token: tokenOf(1), origin: own.url.replace('http', 'https') }),
        'TLS may have ended before it'
      )
      for (const origin of ['https://theirs.example', own.url.replace(/\d+$/, '1'), 'null']) {
        await t.rejects(join(t, own.url, { token: tokenOf(1), origin }), { code: /connection|403/ }, origin)
      }
    })

    t.test('session comes first, with the user, the position and the expiry of the token', async t => {
      const client = await join(t, url, { token: tokenOf(7) })
      t.match(client.received[0], { event: 'session', data: { userId: 7, recovered: false, lastEventId: /^\d+-\d+$/ } })
      t.ok((client.received[0]?.data.expiresAt as number) > Date.now())
    })

    t.test('only the owner receives states, progress, completion and failure, each with its event id', async t => {
      const [userId, other] = [newUser(), newUser()]
      const owner = await join(t, url, { token: tokenOf(userId) })
      const stranger = await join(t, url, { token: tokenOf(other) })
      const one = { userId, jobId: `${userId}-one` }
      const ids = await jobs.publish(
        { ...one, type: 'added' }, { ...one, type: 'waiting' }, { ...one, type: 'active' },
        { ...one, progress: { rows: 40 } },
        { ...one, type: 'completed', result: ['ü', '\u2028', null] },
        { userId, jobId: `${userId}-two`, type: 'failed', error: 'no such file' },
        { userId: other, jobId: 'theirs', progress: 1 }
      )
      await owner.waitFor('job:failed')
      await stranger.waitFor('job:progress')
      t.same(
        owner.received.slice(1).map(({ event }) => event),
        ['job:state', 'job:state', 'job:progress', 'job:completed', 'job:failed']
      )
      t.same(owner.received.slice(1).map(({ data }) => data.eventId), ids.slice(1, 6))
      t.match(
        owner.of('job:progress')[0],
        { jobId: one.jobId, name: 'report', queue: 'default', userId, progress: { rows: 40 } }
      )
      t.match(owner.of('job:completed')[0], { jobId: one.jobId, result: ['ü', '\u2028', null] })
      t.match(owner.of('job:failed')[0], { jobId: `${userId}-two`, error: 'no such file' })
      t.same(stranger.received.map(({ event }) => event), ['session', 'job:progress'])
    })

    t.test('a client that reconnects receives the missed events, once and in order, then live events', async t => {
      const userId = newUser()
      const before = await join(t, url, { token: tokenOf(userId) })
      await jobs.publish({ userId, jobId: 'a', progress: 0 })
      await before.waitFor('job:progress')
      before.close()
      await jobs.publish(...upTo(500).map(i => ({ userId, jobId: 'a', progress: i + 1 })))

      const joining = join(t, url, { token: tokenOf(userId), lastEventId: before.lastEventId })
      const live = upTo(10).map(i => jobs.publish({ userId, jobId: 'a', progress: 501 + i }))
      const after = await joining
      await Promise.all(live)
      await after.waitFor('job:progress', 510)
      t.match(after.of('session'), [{ recovered: true }])
      t.same(progressOf(after), upTo(510).map(i => i + 1))
      t.ok(isOrdered(after))
    })

    t.test('a client that has missed nothing is recovered and receives nothing twice', async t => {
      const userId = newUser()
      const before = await join(t, url, { token: tokenOf(userId) })
      await jobs.publish({ userId, jobId: 'a', progress: 1 })
      await before.waitFor('job:progress')
      const { lastEventId } = before
      const after = await join(t, url, { token: tokenOf(userId), lastEventId })
      await jobs.publish({ userId, jobId: 'a', progress: 2 })
      await after.waitFor('job:progress')
      t.match(after.of('session'), [{ recovered: true, lastEventId }])
      t.same(progressOf(after), [2])
    })

    t.test('a position beyond the history, in the future, or invalid is not recovered', async t => {
      const userId = newUser()
      const before = await join(t, url, { token: tokenOf(userId) })
      await jobs.publish({ userId, jobId: 'a', progress: 1 })
      await before.waitFor('job:progress')
      await jobs.publish(...upTo(1300).map(i => ({ userId, jobId: 'a', progress: i })))
      for (const lastEventId of [before.lastEventId, '1-0', `${Date.now() + 1e6}-0`, 'nonsense']) {
        const after = await join(t, url, { token: tokenOf(userId), lastEventId })
        t.match(after.of('session'), [{ recovered: false }], String(lastEventId))
        await jobs.publish({ userId, jobId: 'a', progress: 'live' })
        await until(() => progressOf(after).includes('live'))
      }
    })

    t.test('a cut connection of the stream tail loses nothing', async t => {
      const userId = newUser()
      const client = await join(t, url, { token: tokenOf(userId) })
      const admin = redis.client()
      for (let i = 0; i < 20; i++) {
        await jobs.publish({ userId, jobId: 'a', progress: i })
        if (i % 5 === 0) await cutBlockedReads(admin)
      }
      await client.waitFor('job:progress', 20)
      t.same(progressOf(client), upTo(20))
    })

    t.test('the 101st session of a user is refused, and admitted once another has ended', async t => {
      const token = tokenOf(newUser())
      const clients = await Promise.all(upTo(100).map(() => join(t, url, { token })))
      const err = await join(t, url, { token }).catch((err: unknown) => err)
      t.ok(refused(/too_many_sessions|429/)(err))
      clients[0]?.close()
      await until(() => join(t, url, { token }))
    })
  })
}

function isOrdered (client: Client): boolean {
  const ids = client.of('job:progress').map(({ eventId }) => eventIdOf(eventId as string))
  return ids.every((id, i) => i === 0 || compareEventIds(id, ids[i - 1] ?? id) > 0)
}

async function cutBlockedReads (admin: ReturnType<typeof redis.client>): Promise<void> {
  const list = await admin.client('LIST') as string
  const blocked = list.split('\n').filter(line => line.includes('cmd=xread')).map(
    line => /id=(\d+)/.exec(line)?.[1] as string
  )
  for (const id of blocked) await admin.client('KILL', 'ID', id)
}
