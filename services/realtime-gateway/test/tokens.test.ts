import { createHmac } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { TEST_SECRET, tokenOf, until, type TestContext } from '@tidings/testing'
import type { Client, ConnectOptions } from './setup/client.ts'
import { connect } from './setup/transports.ts'
import { startGateway, startSurroundings } from './setup/gateway.ts'

// Most of the time tokens are waited for: all transports do that at once.
t.jobs = 6

const surroundings = await startSurroundings(t)
const { jobs } = surroundings
const { url, internalUrl } = await startGateway(t, surroundings, { REALTIME_INTERNAL_PORT: '0', JWT_CLOCK_TOLERANCE: '0' })

let users = 0
const newJob = () => ({ userId: `token-${++users}`, jobId: `job-${users}` })
type Job = ReturnType<typeof newJob>
type Join = (t: TestContext, job: Job, options: ConnectOptions) => Promise<Client>

const transports: Record<string, Join> = {
  'socket.io': (t, _job, options) => connect['socket.io'](t, url, options),
  websocket: (t, _job, options) => connect.websocket(t, url, options),
  sse: (t, _job, options) => connect.sse(t, url, options),
  'a job\'s stream': (t, { jobId }, options) => connect.sse(t, url, { ...options, job: jobId })
}

for (const [kind, join] of Object.entries(transports)) {
  t.test(kind, { buffered: true }, async t => {
    t.test('a token that ends in mid-stream is told ahead and ends its session; with a new one nothing is missed', async t => {
      const job = newJob()
      const stream = await beginStream(t, job)
      const client = await join(t, job, { token: tokenOf(job.userId, { expiresInMs: 3000 }), lastEventId: stream.begin })
      t.match(await client.waitFor('auth:expiring'), [{ expiresAt: client.of('session')[0]?.expiresAt }])
      t.same(await client.waitForEnd(), { reason: 'expired', reconnect: false })
      t.ok(client.of('job:progress').length > 0, 'there was a stream')
      await t.rejects(join(t, job, { token: tokenOf(job.userId, { expiresInMs: -1 }) }), { code: /token_expired|401/ })

      const again = await join(t, job, { token: tokenOf(job.userId), lastEventId: client.lastEventId })
      isWhole(t, await stream.seenBy(client, again))
    })

    t.test('a user who is revoked in mid-stream is out, with all tokens until then; with a newer one nothing is missed', async t => {
      const [job, other] = [newJob(), newJob()]
      const token = tokenOf(job.userId)
      const stream = await beginStream(t, job)
      await jobs.publish({ ...other, type: 'active' })
      const client = await join(t, job, { token, lastEventId: stream.begin })
      const bystander = await join(t, other, { token: tokenOf(other.userId) })
      await client.waitFor('job:progress')
      const notBefore = await revoke(job.userId)
      t.same(await client.waitForEnd(), { reason: 'revoked', reconnect: false })
      await t.rejects(join(t, job, { token }), { code: /token_invalid|401/ })

      await until(() => Date.now() / 1000 > notBefore)
      const again = await join(t, job, { token: tokenOf(job.userId), lastEventId: client.lastEventId })
      isWhole(t, await stream.seenBy(client, again))
      t.notOk(bystander.gone, 'nobody else is')
    })

    t.test('with another user\'s token, and a position of this one, nothing of this one\'s is told', async t => {
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
    const join = transports[kind] as Join

    t.test('in mid-stream it prolongs the session, and what is asked then is asked with the new token', async t => {
      const job = newJob()
      const stream = await beginStream(t, job)
      const client = await join(t, job, { token: tokenOf(job.userId, { expiresInMs: 6000 }), lastEventId: stream.begin })
      const { expiresAt } = client.of('session')[0] as { expiresAt: number }
      const ack = await client.command('auth:refresh', tokenOf(job.userId, { expiresInMs: 3_600_000 }))
      t.match(ack, { ok: true })
      t.ok((ack.expiresAt as number) > expiresAt + 3_000_000)
      await until(() => Date.now() > expiresAt + 1000)
      t.match(await client.command('subscribe:job', job.jobId), { ok: true, job: { id: job.jobId } })
      isWhole(t, await stream.seenBy(client))
      t.notOk(client.gone)
    })

    t.test('a token of 15 KB is taken, in each form that clients send; no answer awaited, the outcome is an event', async t => {
      const job = newJob()
      await jobs.publish({ ...job, type: 'active' })
      const client = await join(t, job, { token: tokenOf(job.userId) })
      const large = largeToken(job.userId)
      t.ok(large.length > 15_000 && large.length < 16_000)
      for (const input of [large, `Bearer ${large}`, { token: large }]) t.match(await client.command('auth:refresh', input), { ok: true })
      t.match(await client.command('subscribe:job', job.jobId), { ok: true }, 'jobs-api takes it too')
      for (const input of ['', 7, null, [large], { token: 7 }]) t.match(await client.command('auth:refresh', input), { ok: false, error: 'invalid', detail: /a token/ })
      client.emit('auth:refresh', large)
      t.match(await client.waitFor('auth:refreshed'), [{ expiresAt: Number }])
      client.emit('auth:refresh', 'nonsense')
      t.match(await client.waitFor('auth:error'), [{ error: 'token_invalid' }])
      client.emit('auth:refresh', 7)
      t.match(await client.waitFor('command:error'), [{ command: 'auth:refresh', error: 'invalid' }])
      t.notOk(client.gone)
    })

    t.test('the new token ends its session in its turn', async t => {
      const job = newJob()
      const client = await join(t, job, { token: tokenOf(job.userId) })
      const { expiresAt } = await client.command('auth:refresh', tokenOf(job.userId, { expiresInMs: 2000 }))
      t.match(await client.waitFor('auth:expiring'), [{ expiresAt }])
      t.same(await client.waitForEnd(), { reason: 'expired', reconnect: false })
    })

    t.test('a token of another user, a bad, an ended or a revoked one changes nothing', async t => {
      const job = newJob()
      const stream = await beginStream(t, job)
      const client = await join(t, job, { token: tokenOf(job.userId), lastEventId: stream.begin })
      await revoke('refresh-revoked')
      const refusals = {
        'another user': tokenOf('somebody-else'),
        token_invalid: 'nonsense',
        token_expired: tokenOf(job.userId, { expiresInMs: -1000 })
      }
      for (const [error, token] of Object.entries(refusals)) {
        t.same(pick(await client.command('auth:refresh', token)), { ok: false, error })
      }
      t.same(pick(await client.command('auth:refresh', tokenOf('refresh-revoked'))), { ok: false, error: 'token_invalid' })
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

/** As identity providers make them that list all groups of a user. */
function largeToken (userId: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { userId, exp: Math.floor(Date.now() / 1000) + 3600, iat: Math.floor(Date.now() / 1000), groups: 'g'.repeat(11_400) }
  const body = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`
  return `${body}.${createHmac('sha256', TEST_SECRET).update(body).digest('base64url')}`
}

/** The acks of WebSockets carry their id too. */
const pick = ({ ok, error }: Record<string, unknown>) => ({ ok, error })

function isWhole (t: Test, { seen, told, recovered }: { seen: unknown[], told: number[], recovered: boolean }) {
  t.same(seen, told, 'nothing is missed, and nothing told twice')
  t.ok(recovered)
}

async function revoke (userId: string): Promise<number> {
  const response = await fetch(`${internalUrl}/revocations`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ userId })
  })
  return (await response.json() as { notBefore: number }).notBefore
}

/** A job that goes on telling progress until all of it is asked for. */
async function beginStream (t: TestContext, job: Job) {
  const [begin] = await jobs.publish({ ...job, progress: 'begin' })
  const over = new AbortController()
  let told = 0
  const telling = (async () => {
    for (; !over.signal.aborted; await sleep(20)) await jobs.publish({ ...job, progress: told++ })
  })()
  const end = () => {
    over.abort()
    return telling
  }
  t.teardown(end)

  /** What was told, and what a client saw of it over its sessions once it has the last. */
  async function seenBy (...sessions: Client[]) {
    await end()
    const seen = () => sessions.flatMap(client => client.of('job:progress').map(({ progress }) => progress))
    await until(() => seen().at(-1) === told - 1, { what: `the last of ${told} events` })
    return {
      seen: seen(),
      told: Array.from({ length: told }, (_, i) => i),
      recovered: sessions.every(client => client.of('session')[0]?.recovered === true)
    }
  }

  return { begin, seenBy }
}
