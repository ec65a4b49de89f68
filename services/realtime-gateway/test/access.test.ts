import t from 'tap'
import { tokenOf, until } from '@tidings/testing'
import { startGateway, startSurroundings } from './setup/gateway.ts'
import { joinsAt, type Join } from './setup/transports.ts'

type Line = { audit?: boolean, actor?: string, user?: string, route?: string, requestId?: string, status?: number }
const lines: Line[] = []

const surroundings = await startSurroundings(t)
const { jobs } = surroundings
const env = { REALTIME_INTERNAL_PORT: '0', REALTIME_MAX_SESSIONS: '3' }
const { url, internalUrl } = await startGateway(t, surroundings, env, app => {
  // The audit log is a child of the app's own log. Each log calls this as its own method, so nothing is bound.
  const child = Reflect.get(app.log, 'child') as typeof app.log.child
  app.log.child = function (this: typeof app.log, ...of: Parameters<typeof child>) {
    const log = child.apply(this, of)
    log.info = (fields: Line) => { if (fields.audit) lines.push(fields) }
    return log
  }
})

const joins = joinsAt(url)
let users = 0
const newJob = () => ({ userId: `access-${++users}`, jobId: `job-${users}` })

async function ticketOf (token: string, query = '') {
  const response = await fetch(`${url}/auth/ticket${query}`, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
  return { status: response.status, ...await response.json() as { ticket?: string, type?: string } }
}

for (const [kind, join] of Object.entries(joins)) {
  t.test(kind, async t => {
    t.test('a session takes the scope jobs:read', async t => {
      const job = newJob()
      await jobs.publish({ ...job, type: 'active' })
      for (const scope of ['', 'jobs:write webhooks:read webhooks:write', 'openid', 'operator:read operator:write']) {
        await t.rejects(join(t, job, { token: tokenOf(job.userId, { scope }) }), { code: /insufficient_scope|403/ }, scope)
      }
      const client = await join(t, job, { token: tokenOf(job.userId, { scope: 'jobs:read' }) })
      await jobs.publish({ ...job, progress: 1 })
      await client.waitFor('job:progress')
      client.close()
    })

    t.test('an operator who names a user receives that user\'s events and no others', async t => {
      const [job, own] = [newJob(), newJob()]
      await jobs.publish({ ...job, type: 'active' }, { ...own, type: 'active' })
      const asked = { userId: job.userId }
      for (const scope of [undefined, 'jobs:read jobs:write webhooks:read webhooks:write']) {
        await t.rejects(join(t, job, { ...asked, token: tokenOf(own.userId, { scope }) }), { code: /insufficient_scope|403/ })
      }
      for (const scope of ['operator:read', 'operator:write']) {
        const client = await join(t, job, { ...asked, token: tokenOf(own.userId, { scope }) })
        t.match(client.of('session'), [{ userId: job.userId }])
        const before = client.of('job:progress').length
        await jobs.publish({ ...own, progress: 'own' }, { ...job, progress: `for ${scope}` })
        await client.waitFor('job:progress', before + 1)
        t.same(client.of('job:progress').filter(({ userId }) => userId !== job.userId), [])
        client.close()
      }
      const route = { 'socket.io': '/socket.io/', websocket: '/ws', sse: '/events' }[kind] ?? '/jobs/:jobId/stream'
      const audited = lines.filter(({ user }) => user === job.userId)
      t.match(audited, [403, 403, 200, 200].map(status => ({ actor: own.userId, route, status, requestId: String })))
    })

    t.test('* and what is no user id are refused', async t => {
      const job = newJob()
      await jobs.publish({ ...job, type: 'active' })
      const token = tokenOf(job.userId, { scope: 'operator:write' })
      for (const userId of ['*', 'x'.repeat(129)]) {
        await t.rejects(join(t, job, { token, userId }), { code: /user_id_invalid|400/ }, userId)
      }
    })

    t.test('the operator\'s revocation ends the session, not the user\'s; quotas are the operator\'s', async t => {
      const [job, own] = [newJob(), newJob()]
      await jobs.publish({ ...job, type: 'active' })
      const options = { token: tokenOf(own.userId, { scope: 'operator:read' }), userId: job.userId }
      const client = await join(t, job, options)
      const others = [await join(t, job, options), await join(t, job, options)]
      await t.rejects(join(t, job, options), { code: /too_many_sessions|429/ })
      for (const other of others) other.close()
      const user = await join(t, job, { token: tokenOf(job.userId) })
      const revoke = async (userId: string) => await fetch(`${internalUrl}/revocations`, {
        method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ userId })
      })
      await revoke(job.userId)
      await user.waitForEnd()
      t.notOk(client.gone)
      await revoke(own.userId)
      t.match(await client.waitForEnd(), { reason: 'revoked' })
    })
  })
}

for (const kind of ['socket.io', 'websocket'] as const) {
  t.test(`${kind}: commands`, async t => {
    const join = joins[kind] as Join
    const [job, own] = [newJob(), newJob()]
    await jobs.publish({ ...job, type: 'active' }, { ...own, type: 'active' })

    t.test('an operator subscribes to jobs of the named user only', async t => {
      const client = await join(t, job, { token: tokenOf(own.userId, { scope: 'operator:read' }), userId: job.userId })
      t.match(await client.command('subscribe:job', job.jobId), { ok: true, job: { id: job.jobId } })
      t.match(await client.command('subscribe:job', own.jobId), { ok: false, error: 'not found' })
      client.close()
    })

    t.test('auth:refresh takes a token of the same user that still has the scope', async t => {
      const operatorToken = tokenOf(own.userId, { scope: 'operator:read' })
      const operator = await join(t, job, { token: operatorToken, userId: job.userId })
      t.match(await operator.command('auth:refresh', tokenOf(own.userId)), { ok: false, error: 'insufficient_scope' })
      t.match(await operator.command('auth:refresh', tokenOf(job.userId)), { ok: false, error: 'another user' })
      t.match(await operator.command('auth:refresh', tokenOf(own.userId, { scope: 'operator:write' })), { ok: true })
      const user = await join(t, own, { token: tokenOf(own.userId) })
      const writer = tokenOf(own.userId, { scope: 'jobs:write' })
      t.match(await user.command('auth:refresh', writer), { ok: false, error: 'insufficient_scope' })
      t.match(await user.command('auth:refresh', tokenOf(own.userId, { scope: 'jobs:read' })), { ok: true })
      operator.close()
      user.close()
    })
  })
}

t.test('a ticket allows what its token allows, for the user whom it was issued for', async t => {
  const [job, own] = [newJob(), newJob()]
  await jobs.publish({ ...job, type: 'active' })
  const token = tokenOf(own.userId, { scope: 'operator:read' })
  const writer = tokenOf(own.userId, { scope: 'jobs:write' })
  t.match(await ticketOf(writer), { status: 403, type: 'urn:tidings:problem:insufficient-scope' })
  t.match(await ticketOf(tokenOf(own.userId), `?userId=${job.userId}`), { status: 403 })
  t.match(await ticketOf(token), { status: 403 }, 'an operator without jobs:read has no stream of its own')
  t.match(await ticketOf(token, '?userId=*'), { status: 400 })

  const open = async (query: string) => {
    const abort = new AbortController()
    t.teardown(() => abort.abort())
    const response = await fetch(`${url}/events?${query}`, { signal: abort.signal })
    const text = async () => new TextDecoder().decode((await response.body?.getReader().read())?.value)
    return { status: response.status, text }
  }
  const { ticket } = await ticketOf(token, `?userId=${job.userId}`)
  t.equal((await open(`ticket=${ticket}&userId=${own.userId}`)).status, 400, 'for no other user')
  await until(async () => {
    const stream = await open(`ticket=${ticket}`)
    return stream.status === 200 && (await stream.text()).includes(`"userId":"${job.userId}"`)
  }, { what: 'the ticket to open the stream of its user' })
  const { ticket: plain } = await ticketOf(tokenOf(own.userId))
  t.equal((await open(`ticket=${plain}&userId=${job.userId}`)).status, 400)
})
