import t from 'tap'
import { startRedis, tokenOf, until } from '@tidings/testing'
import { USER_SCOPES, type Scope } from '@tidings/contracts'
import { startServices } from './three-services.ts'

/** Stands in everything that the owner has, and so in every response that shows some of it. */
const MARK = 'secret-of-the-owner'
const OWNER = `owner-${MARK}`
const OPERATOR = 'operator'

const redis = await startRedis(t)
const { urls, output } = await startServices(t, {
  REDIS_URL: redis.url,
  REFRESH_TOKEN_SECRET: 'another secret for tests',
  RATE_LIMIT_MAX: '0',
  REALTIME_CONNECTS_PER_SECOND: '100000',
  REALTIME_UNKNOWN_JOB_MS: '200',
  WEBHOOK_MAX_PER_USER: '1000',
  LOG_LEVEL: 'warn'
})

type Service = keyof typeof urls
type Call = {
  service: Service
  method: string
  path: string
  token?: string | undefined
  body?: unknown
  userId?: string | undefined
}
type Answer = { status: number, text: string, challenge: string | null }

let calls = 0

async function call ({ service, method, path, token, body, userId }: Call): Promise<Answer> {
  const query = userId === undefined ? '' : `?userId=${encodeURIComponent(userId)}`
  const abort = new AbortController()
  const response = await fetch(`${urls[service]}${path}${query}`, {
    method,
    headers: {
      'x-request-id': `access-${++calls}`,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' })
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.any([abort.signal, AbortSignal.timeout(30_000)])
  })
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
  const text = isStream
    ? new TextDecoder().decode((await response.body?.getReader().read())?.value)
    : await response.text()
  if (isStream) abort.abort()
  return { status: response.status, text, challenge: response.headers.get('www-authenticate') }
}

const owner = tokenOf(OWNER)
async function make<Body> (
  service: Service, method: string, path: string, body?: unknown, token = owner
): Promise<Body> {
  const { status, text } = await call({ service, method, path, body, token })
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`)
  return (text ? JSON.parse(text) : undefined) as Body
}

const WEBHOOK = { url: 'http://127.0.0.1:9/', eventType: 'all', description: MARK }
const newWebhook = () => make<{ id: number }>('dispatcher', 'POST', '/webhooks', WEBHOOK)
const putLegacy = () => make('dispatcher', 'PUT', '/webhooks/legacy', { webhookUrl: `http://127.0.0.1:9/${MARK}` })

const { jobId } = await make<{ jobId: string }>('jobs', 'POST', '/submit-job', { name: MARK, delay: 3_600_000 })
const webhook = await newWebhook()
await putLegacy()
const delivery = await make<{ id: number }>('dispatcher', 'POST', `/webhooks/${webhook.id}/test`)
const bulk = await make<{ bulkId: string }>('jobs', 'POST', '/bulk', { action: 'cancel', ids: ['nothing'] })
const replayed = await newWebhook()
const since = new Date(Date.now() - 1000).toISOString()
const replay = await make<{ id: number }>('dispatcher', 'POST', `/webhooks/${replayed.id}/replay`, { since })
const eraser = tokenOf(OPERATOR, { scope: 'operator:write' })
const erased = await make<{ erasureId: string }>('jobs', 'DELETE', '/users/nobody', undefined, eraser)
await until(async () => (await call({ service: 'jobs', method: 'GET', path: `/jobs/${jobId}`, token: owner })).status === 200)

type Entry = {
  /** An object that another user must not find, the user's own list, something new, or what anybody may ask. */
  kind: 'object' | 'own' | 'create' | 'operators' | 'token' | 'public'
  /** Statuses of who may; beside a success a 409 shows that the object was found. */
  allowed: number[]
  path?: string | (() => Promise<string>)
  /** Whether an operator may ask for all users. */
  allUsers?: true
  body?: unknown
}

const job = `/jobs/${jobId}`
const hook = `/webhooks/${webhook.id}`

/** By operationId; a new operation needs an entry. */
const TABLE: Record<string, Entry> = {
  refreshTokens: { kind: 'public', allowed: [401], body: { refreshToken: 'none' } },
  getMe: { kind: 'token', allowed: [200] },
  submitJob: { kind: 'create', allowed: [202], body: { name: MARK, delay: 3_600_000 } },
  submitJobs: { kind: 'create', allowed: [202], body: { jobs: [{ name: MARK, delay: 3_600_000 }] } },
  listJobs: { kind: 'own', allowed: [200], allUsers: true },
  countJobs: { kind: 'own', allowed: [200] },
  getJobStats: { kind: 'own', allowed: [200] },
  getJob: { kind: 'object', allowed: [200], path: job },
  getJobEvents: { kind: 'object', allowed: [200], path: `${job}/events` },
  cancelJob: { kind: 'object', allowed: [202, 409], path: `${job}/cancel` },
  startBulk: { kind: 'create', allowed: [202], body: { action: 'retry', ids: [jobId] } },
  listBulks: { kind: 'own', allowed: [200] },
  getBulk: { kind: 'object', allowed: [200], path: `/bulk/${bulk.bulkId}` },
  stopBulk: { kind: 'object', allowed: [200], path: `/bulk/${bulk.bulkId}` },
  resubmitJob: { kind: 'object', allowed: [202], path: `${job}/resubmit` },
  retryJob: { kind: 'object', allowed: [202, 409], path: `${job}/retry` },
  eraseUser: { kind: 'operators', allowed: [202], path: '/users/nobody' },
  getErasure: { kind: 'operators', allowed: [200], path: `/users/nobody/erasures/${erased.erasureId}` },
  getQueueStates: { kind: 'operators', allowed: [200] },
  getDeliveryStates: { kind: 'operators', allowed: [200] },
  createTicket: { kind: 'create', allowed: [201] },
  streamEvents: { kind: 'own', allowed: [200] },
  streamJob: { kind: 'object', allowed: [200], path: `${job}/stream` },
  listWebhooks: { kind: 'own', allowed: [200] },
  createWebhook: { kind: 'create', allowed: [201], body: WEBHOOK },
  getWebhook: { kind: 'object', allowed: [200], path: hook },
  updateWebhook: { kind: 'object', allowed: [200], path: hook, body: { description: MARK } },
  deleteWebhook: { kind: 'object', allowed: [204], path: async () => `/webhooks/${(await newWebhook()).id}` },
  getWebhookSecret: { kind: 'object', allowed: [200], path: `${hook}/secret` },
  rotateWebhookSecret: { kind: 'object', allowed: [200], path: `${hook}/rotate-secret` },
  listJobDeliveries: { kind: 'own', allowed: [200], path: `${job}/deliveries` },
  getWebhookStats: { kind: 'object', allowed: [200], path: `${hook}/stats` },
  listDeliveries: { kind: 'object', allowed: [200], path: `${hook}/deliveries` },
  testWebhook: { kind: 'object', allowed: [202], path: `${hook}/test` },
  replayWebhook: { kind: 'object', allowed: [202, 409], path: `${hook}/replay`, body: { since } },
  listReplays: { kind: 'object', allowed: [200], path: `/webhooks/${replayed.id}/replays` },
  stopReplay: { kind: 'object', allowed: [204], path: `/webhooks/${replayed.id}/replays/${replay.id}` },
  getReplay: { kind: 'object', allowed: [200], path: `/webhooks/${replayed.id}/replays/${replay.id}` },
  getLegacyWebhook: { kind: 'object', allowed: [200], path: legacy('') },
  putLegacyWebhook: { kind: 'create', allowed: [200], body: { webhookUrl: 'http://127.0.0.1:9/' } },
  deleteLegacyWebhook: { kind: 'object', allowed: [204], path: legacy('') },
  getLegacySecret: { kind: 'own', allowed: [200] },
  rotateLegacySecret: { kind: 'create', allowed: [200] },
  listLegacyDeliveries: { kind: 'own', allowed: [200] },
  migrateLegacyWebhook: { kind: 'object', allowed: [201], path: legacy('/migrate') },
  listAllDeliveries: { kind: 'own', allowed: [200], allUsers: true },
  getDelivery: { kind: 'object', allowed: [200], path: `/deliveries/${delivery.id}` },
  redeliver: { kind: 'object', allowed: [202, 409], path: `/deliveries/${delivery.id}/redeliver` }
}

/** The legacy webhook, which some of the requests remove. */
function legacy (path: string) {
  return async () => {
    await putLegacy()
    return `/webhooks/legacy${path}`
  }
}

type Document = { paths: Record<string, Record<string, { operationId: string, security?: { bearer?: Scope[] }[] }>> }
type Operation = {
  service: Service
  method: string
  path: string
  operationId: string
  scope: Scope | undefined
  /** Any of these opens the route; a further check is for one of them. */
  scopes: Scope[]
}

const operations = (await Promise.all((Object.keys(urls) as Service[]).map(async service => {
  const { paths } = await (await fetch(`${urls[service]}/openapi.json`)).json() as Document
  return Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods)
    .map(([method, { operationId, security }]): Operation =>
      ({
        service,
        method: method.toUpperCase(),
        path,
        operationId,
        scope: security?.[0]?.bearer?.[0],
        scopes: security?.flatMap(({ bearer = [] }) => bearer) ?? []
      })))
}))).flat()

t.test('every operation of every service has an entry', async t => {
  t.same(operations.map(({ operationId }) => operationId).sort(), Object.keys(TABLE).sort())
})

for (const operation of operations) {
  const { operationId, scope, scopes } = operation
  const { kind, allowed, path = operation.path, body, allUsers } = TABLE[operationId] as Entry
  const ask = async (token: string | undefined, userId?: string) => {
    const at = typeof path === 'function' ? await path() : path
    return await call({ ...operation, path: at, body, token, userId })
  }

  t.test(operationId, async t => {
    const isAllowed = ({ status, text }: Answer, who: string) => t.ok(allowed.includes(status), `${who}: ${status} ${allowed.includes(status) ? '' : text}`)
    const isRefused = ({ status, text, challenge }: Answer, missing: Scope, who: string) => {
      t.equal(status, 403, who)
      t.match(JSON.parse(text), { type: 'urn:tidings:problem:insufficient-scope', detail: `The token lacks the scope ${missing}` }, who)
      t.equal(challenge, `Bearer error="insufficient_scope", scope="${missing}"`, who)
    }
    const OTHER = `other-${operationId}`
    if (kind === 'public') return isAllowed(await ask(undefined), 'nobody')
    t.equal((await ask(undefined)).status, 401, 'without a token')
    if (kind === 'token') return isAllowed(await ask(tokenOf(OWNER, { scope: '' })), 'any token')
    if (kind === 'operators') {
      const isRead = scope === 'operator:read'
      if (!isRead) t.equal(scope, 'operator:write')
      for (const other of [undefined, USER_SCOPES.join(' '), ...isRead ? [] : ['operator:read']]) {
        isRefused(await ask(tokenOf(OTHER, { scope: other })), isRead ? 'operator:read' : 'operator:write', `scope ${other}`)
      }
      if (isRead) isAllowed(await ask(tokenOf(OPERATOR, { scope: 'operator:read' })), 'operator:read')
      return isAllowed(await ask(tokenOf(OPERATOR, { scope: 'operator:write' })), 'operator:write')
    }

    const needed = scope as Scope
    const isRead = needed.endsWith(':read')
    const operatorScope = isRead ? 'operator:read' : 'operator:write'
    const others = USER_SCOPES.filter(scope => !scopes.includes(scope)).join(' ')

    await t.test('another user', async t => {
      const answer = await ask(tokenOf(OTHER))
      if (kind === 'object') t.equal(answer.status, 404)
      t.notOk(kind !== 'create' && answer.text.includes(MARK), 'nothing of the owner')
      const named = await ask(tokenOf(OTHER), OWNER)
      isRefused(named, operatorScope, 'who names the owner')
      t.notOk(named.text.includes(MARK))
      isRefused(await ask(tokenOf(OTHER), '*'), operatorScope, 'who names all users')
    })
    await t.test('a missing scope', async () => {
      for (const scope of ['', 'openid', others, `${others} operator:read operator:write`]) {
        isRefused(await ask(tokenOf(OWNER, { scope })), needed, `scope "${scope}"`)
      }
    })
    await t.test('operator:read', async t => {
      const token = tokenOf(OPERATOR, { scope: 'operator:read' })
      const answer = await ask(token, OWNER)
      if (isRead) isAllowed(answer, 'reads')
      else isRefused(answer, 'operator:write', 'writes')
      isRefused(await ask(token), needed, 'without a user')
      const everybody = await ask(token, '*')
      t.equal(everybody.status, allUsers ? 200 : isRead ? 400 : 403, 'all users')
      if (allUsers) t.ok(everybody.text.includes(MARK))
    })
    await t.test('operator:write', async () => {
      isAllowed(await ask(tokenOf(OPERATOR, { scope: 'operator:write' }), OWNER), 'reads and writes')
    })
    await t.test('the owner', async () => {
      isAllowed(await ask(owner), 'without a scope claim')
      isAllowed(await ask(tokenOf(OWNER, { scope: needed })), 'with the one scope')
      isAllowed(await ask(owner, OWNER), 'who names itself')
    })
  })
}

t.test('an operator\'s requests reach the data of the user that they name', async t => {
  const token = tokenOf(OPERATOR, { scope: 'operator:write' })
  const list = async (userId?: string) => {
    const asked = userId === undefined ? tokenOf(OPERATOR) : token
    return JSON.parse((await call({ service: 'jobs', method: 'GET', path: '/jobs', token: asked, userId })).text)
  }
  t.match(await list(OWNER), { jobs: [{ name: MARK }] })
  t.equal((await list()).pagination.total, 0, 'and nothing came to be the operator\'s')
})

t.test('the internal route of gateways finds no jobs of others', async t => {
  const request = { service: 'jobs', method: 'POST', path: '/internal/find-jobs', body: { jobs: [{ jobId }] } } as const
  const find = async (token: string, userId?: string) => await call({ ...request, token, userId })
  const OTHER = 'other'
  t.notOk((await find(tokenOf(OTHER))).text.includes(MARK))
  t.equal((await find(tokenOf(OWNER, { scope: 'jobs:write' }))).status, 403)
  t.equal((await find(tokenOf(OTHER), OWNER)).status, 403)
  t.ok((await find(tokenOf(OPERATOR, { scope: 'operator:read' }), OWNER)).text.includes(MARK))
})

t.test('each request that names another user was logged once, even with LOG_LEVEL=warn', async t => {
  type Line = { audit?: boolean, requestId: string, actor: string, user: string, status: number }
  const lines = () => output().split('\n')
    .filter(line => line.includes('"audit":true'))
    .map(line => JSON.parse(line) as Line)
  await until(() => lines().length > 100)
  const ids = lines().map(({ requestId }) => requestId)
  t.equal(new Set(ids).size, ids.length)
  t.ok(lines().every(({ actor, user }) => actor !== user))
  t.notOk(output().includes(tokenOf(OWNER).split('.')[0] as string), 'no token')
})
