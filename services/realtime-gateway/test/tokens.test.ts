import { createHmac } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { TEST_SECRET, tokenOf, until, type TestContext } from '@tidings/testing'
import type { Client } from './setup/client.ts'
import { joinsAt, type Join } from './setup/transports.ts'
import { startGateway, startSurroundings } from './setup/gateway.ts'

// Most of the time is spent waiting for tokens to expire: all transports wait at once.
t.jobs = 6

const surroundings = await startSurroundings(t)
const { jobs } = surroundings
const { url, internalUrl } = await startGateway(
  t, surroundings, { REALTIME_INTERNAL_PORT: '0', JWT_CLOCK_TOLERANCE: '0' }
)

const joins = joinsAt(url)
let users = 0
const newJob = () => ({ userId: `token-${++users}`, jobId: `job-${users}` })
type Job = ReturnType<typeof newJob>

for (const [kind, join] of Object.entries(joins)) {
  t.test(kind, { buffered: true }, async t => {
    t.test('a token\'s expiry is announced, then ends the session; with a new token nothing is missed', async t => {
      const job = newJob()
      const stream = await startStream(t, job)
      const client = await join(
        t, job, { token: tokenOf(job.userId, { expiresInMs: 3000 }), lastEventId: stream.start }
      )
      t.match(await client.waitFor('auth:expiring'), [{ expiresAt: client.of('session')[0]?.expiresAt }])
      t.same(await client.waitForEnd(), { reason: 'expired', reconnect: false })
      t.ok(client.of('job:progress').length > 0, 'there was a stream')
      await t.rejects(join(t, job, { token: tokenOf(job.userId, { expiresInMs: -1 }) }), { code: /token_expired|401/ })

      const again = await join(t, job, { token: tokenOf(job.userId), lastEventId: client.lastEventId })
      isWhole(t, await stream.seenBy(client, again))
    })

    t.test('a revocation ends the session and voids all tokens so far; with a newer one nothing is missed', async t => {
      const [job, other] = [newJob(), newJob()]
      const token = tokenOf(job.userId)
      const stream = await startStream(t, job)
      await jobs.publish({ ...other, type: 'active' })
      const client = await join(t, job, { token, lastEventId: stream.start })
      const bystander = await join(t, other, { token: tokenOf(other.userId) })
      await client.waitFor('job:progress')
      const notBefore = await revoke(job.userId)
      t.same(await client.waitForEnd(), { reason: 'revoked', reconnect: false })
      await t.rejects(join(t, job, { token }), { code: /token_invalid|401/ })

      await until(() => Date.now() / 1000 > notBefore)
      const again = await join(t, job, { token: tokenOf(job.userId), lastEventId: client.lastEventId })
      isWhole(t, await stream.seenBy(client, again))
      t.notOk(bystander.gone, 'other users keep their sessions')
    })

    t.test('with another user\'s token, a position of this user reveals none of its events', async t => {
      const [job, other] = [newJob(), newJob()]
      await jobs.publish({ ...other, type: 'active' })
      const [lastEventId] = await jobs.publish({ ...job, progress: 1 })
      await jobs.publish({ ...job, progress: 2 }, { ...other, progress: 'theirs' })
      const client = await join(t, other, { token: tokenOf(other.userId), lastEventId })
      await client.waitFor('job:progress')
      t.same(client.of('job:progress').map(({ progress }) => progress), ['theirs'])
    })
  })
}

for (const kind of ['socket.io', 'websocket'] as const) {
  t.test(`${kind}: auth:refresh`, { buffered: true }, async t => {
    const join = joins[kind] as Join

    t.test('it prolongs the session, and later requests to jobs-api use the new token', async t => {
      const job = newJob()
      const stream = await startStream(t, job)
      const client = await join(
        t, job, { token: tokenOf(job.userId, { expiresInMs: 6000 }), lastEventId: stream.start }
      )
      const { expiresAt } = client.of('session')[0] as { expiresAt: number }
      const ack = await client.command('auth:refresh', tokenOf(job.userId, { expiresInMs: 3_600_000 }))
      t.match(ack, { ok: true })
      t.ok((ack.expiresAt as number) > expiresAt + 3_000_000)
      await until(() => Date.now() > expiresAt + 1000)
      t.match(await client.command('subscribe:job', job.jobId), { ok: true, job: { id: job.jobId } })
      isWhole(t, await stream.seenBy(client))
      t.notOk(client.gone)
    })

    t.test('a token of 15 KB is accepted in each form; without an answer the outcome is an event', async t => {
      const job = newJob()
      await jobs.publish({ ...job, type: 'active' })
      const client = await join(t, job, { token: tokenOf(job.userId) })
      const large = largeToken(job.userId)
      t.ok(large.length > 15_000 && large.length < 16_000)
      for (const input of [large, `Bearer ${large}`, { token: large }]) {
        t.match(await client.command('auth:refresh', input), { ok: true })
      }
      t.match(await client.command('subscribe:job', job.jobId), { ok: true }, 'jobs-api accepts it too')
      for (const input of ['', 7, null, [large], { token: 7 }]) {
        t.match(await client.command('auth:refresh', input), { ok: false, error: 'invalid', detail: /a token/ })
      }
      client.emit('auth:refresh', large)
      t.match(await client.waitFor('auth:refreshed'), [{ expiresAt: Number }])
      client.emit('auth:refresh', 'nonsense')
      t.match(await client.waitFor('auth:error'), [{ error: 'token_invalid' }])
      client.emit('auth:refresh', 7)
      t.match(await client.waitFor('command:error'), [{ command: 'auth:refresh', error: 'invalid' }])
      t.notOk(client.gone)
    })

    t.test('the expiry of the new token ends the session', async t => {
      const job = newJob()
      const client = await join(t, job, { token: tokenOf(job.userId) })
      const { expiresAt } = await client.command('auth:refresh', tokenOf(job.userId, { expiresInMs: 2000 }))
      t.match(await client.waitFor('auth:expiring'), [{ expiresAt }])
      t.same(await client.waitForEnd(), { reason: 'expired', reconnect: false })
    })

    t.test('a token of another user, an invalid, an expired or a revoked one changes nothing', async t => {
      const job = newJob()
      const stream = await startStream(t, job)
      const client = await join(t, job, { token: tokenOf(job.userId), lastEventId: stream.start })
      await revoke('refresh-revoked')
      const refusals = {
        'another user': tokenOf('somebody-else'),
        token_invalid: 'nonsense',
        token_expired: tokenOf(job.userId, { expiresInMs: -1000 })
      }
      for (const [error, token] of Object.entries(refusals)) {
        t.same(pick(await client.command('auth:refresh', token)), { ok: false, error })
      }
      t.same(
        pick(await client.command('auth:refresh', tokenOf('refresh-revoked'))), { ok: false, error: 'token_invalid' }
      )
      isWhole(t, await stream.seenBy(client))
      t.notOk(client.gone)
    })

    t.test('a refreshed session ends when its user is revoked', async t => {
      const job = newJob()
      const client = await join(t, job, { token: tokenOf(job.userId) })
      t.match(await client.command('auth:refresh', tokenOf(job.userId)), { ok: true })
      await revoke(job.userId)
      t.same(await client.waitForEnd(), { reason: 'revoked', reconnect: false })
    })
  })
}

/** Like the tokens of identity providers that list all groups of a user. */
function largeToken (userId: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = {
    userId, exp: Math.floor(Date.now() / 1000) + 3600, iat: Math.floor(Date.now() / 1000), groups: 'g'.repeat(11_400)
  }
  const body = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`
  return `${body}.${createHmac('sha256', TEST_SECRET).update(body).digest('base64url')}`
}

/** Acks over WebSocket have an id too. */
const pick = ({ ok, error }: Record<string, unknown>) => ({ ok, error })

function isWhole (t: Test, { seen, published, recovered }: {
  seen: unknown[], published: number[], recovered: boolean
}) {
  t.same(seen, published, 'nothing is missed or doubled')
  t.ok(recovered)
}

async function revoke (userId: string): Promise<number> {
  const response = await fetch(`${internalUrl}/revocations`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ userId })
  })
  return (await response.json() as { notBefore: number }).notBefore
}

/** A job that publishes progress until `seenBy` is called. */
async function startStream (t: TestContext, job: Job) {
  const [start] = await jobs.publish({ ...job, progress: 'start' })
  const over = new AbortController()
  let published = 0
  const publishing = (async () => {
    for (; !over.signal.aborted; await sleep(20)) await jobs.publish({ ...job, progress: published++ })
  })()
  const end = () => {
    over.abort()
    return publishing
  }
  t.teardown(end)

  /** The published progress, and what a client received over its sessions once it has the last. */
  async function seenBy (...sessions: Client[]) {
    await end()
    const seen = () => sessions.flatMap(client => client.of('job:progress').map(({ progress }) => progress))
    await until(() => seen().at(-1) === published - 1, { what: `the last of ${published} events` })
    return {
      seen: seen(),
      published: Array.from({ length: published }, (_, i) => i),
      recovered: sessions.every(client => client.of('session')[0]?.recovered === true)
    }
  }

  return { start, seenBy }
}
