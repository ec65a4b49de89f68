import { Queue, Worker } from 'bullmq'
import t from 'tap'
import { SCOPES, signRefreshToken } from '@tidings/contracts'
import { startReceiver, startRedis, tokenOf, until } from '@tidings/testing'
import { faultOf, matches, operationsOf, type Operation } from '@tidings/testing/fuzz'
import { startServices } from './three-services.ts'

/** The user of the examples, who is an operator too. */
const USER = '7'
const REFRESH_TOKEN_SECRET = 'another secret for tests'

const redis = await startRedis(t)
const receiver = await startReceiver(t)
const { urls } = await startServices(t, {
  REDIS_URL: redis.url,
  REFRESH_TOKEN_SECRET,
  RATE_LIMIT_MAX: '0',
  REALTIME_CONNECTS_PER_SECOND: '100000',
  WEBHOOK_MAX_PER_USER: '1000'
})
const authorization = `Bearer ${tokenOf(USER, { scope: SCOPES.join(' ') })}`
// No job completes, so nothing is sent to the webhooks of the examples, which want completions.
const connection = { url: redis.url }
const worker = new Worker('default', async () => { throw new Error('fails') }, { connection })
const queue = new Queue('default', { connection })
t.teardown(async () => { await Promise.all([worker.close(), queue.close()]) })

type Service = keyof typeof urls
type Sent = {
  service: Service
  method: string
  path: string
  body?: unknown
  headers?: Record<string, string>
}
type Answer = { statusCode: number, body: string, headers: Record<string, unknown> }

async function send ({ service, method, path, body, headers }: Sent): Promise<Answer> {
  const abort = new AbortController()
  const response = await fetch(`${urls[service]}${path}`, {
    method,
    headers: { authorization, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.any([abort.signal, AbortSignal.timeout(60_000)])
  })
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
  const text = isStream
    ? new TextDecoder().decode((await response.body?.getReader().read())?.value)
    : await response.text()
  if (isStream) abort.abort()
  return { statusCode: response.status, body: text, headers: Object.fromEntries(response.headers) }
}

async function make<Body> (service: Service, method: string, path: string, body?: unknown): Promise<Body> {
  const { statusCode, body: text } = await send({ service, method, path, body })
  if (statusCode >= 300) throw new Error(`${method} ${path}: ${statusCode} ${text}`)
  return JSON.parse(text) as Body
}

async function newJob (settings: object): Promise<string> {
  const { jobId } = await make<{ jobId: string }>('jobs', 'POST', '/submit-job', { name: 'resize', ...settings })
  return jobId
}

async function failedJob (): Promise<string> {
  const jobId = await newJob({})
  await until(async () => (await make<{ state: string }>('jobs', 'GET', `/jobs/${jobId}`)).state === 'failed')
  return jobId
}

/** Makes something in the dispatcher, and returns its id. */
async function post (path: string, body?: object): Promise<number> {
  return (await make<{ id: number }>('dispatcher', 'POST', path, body)).id
}

const newWebhook = async () => await post('/webhooks', { url: receiver.url, eventType: 'progress' })
const newReplay = async (webhook: number) => await post(`/webhooks/${webhook}/replay`, { since: hoursAgo(24) })

async function finishedDelivery (): Promise<number> {
  const id = await post(`/webhooks/${await newWebhook()}/test`)
  const status = async () => (await make<{ status: string }>('dispatcher', 'GET', `/deliveries/${id}`)).status
  await until(async () => await status() === 'delivered')
  return id
}

async function newBulk (): Promise<string> {
  return (await make<{ bulkId: string }>('jobs', 'POST', '/bulk', { action: 'retry', ids: ['nothing'] })).bulkId
}

const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString()
const erasure = async () => await make<{ erasureId: string }>('jobs', 'DELETE', '/users/nobody')
const putLegacy = async () => await make('dispatcher', 'PUT', '/webhooks/legacy', { webhookUrl: receiver.url })

type Values = Record<string, string | number>

/** The objects that the path of an operation names; the first match decides. A new one is made for each request. */
const PATHS: [RegExp, (operation: Operation) => Promise<Values>][] = [
  [/^\/jobs\/\{jobId\}\/re(try|submit)/, async () => ({ jobId: await failedJob() })],
  [/^\/jobs\/\{jobId\}/, async () => ({ jobId: await newJob({ delay: 3_600_000 }) })],
  [/^\/users\//, async () => ({ userId: 'nobody', erasureId: (await erasure()).erasureId })],
  [/^\/webhooks\/legacy/, async () => { await putLegacy(); return {} }],
  [/^\/webhooks\/\{id\}\/replays/, async () => {
    const id = await newWebhook()
    return { id, replayId: await newReplay(id) }
  }],
  [/^\/webhooks\/\{id\}/, async () => ({ id: await newWebhook() })],
  [/^\/deliveries\/\{id\}/, async () => ({ id: await finishedDelivery() })],
  [/^\/bulk\/\{bulkId\}/, async () => ({ bulkId: await newBulk() })],
  [/^[^{]*$/, async () => ({})]
]

/** What an example cannot hold: a token that is valid here, and a time of the last days. */
const REPLACED: Record<string, () => object> = {
  refreshTokens: () => ({
    refreshToken: signRefreshToken({ userId: USER, secret: REFRESH_TOKEN_SECRET, expiresInMs: 60_000 })
  }),
  replayWebhook: () => ({ since: hoursAgo(24), until: hoursAgo(1) })
}

async function pathOf (operation: Operation): Promise<string> {
  const [, values] = PATHS.find(([pattern]) => pattern.test(operation.path)) ?? []
  if (!values) throw new Error(`${operation.path}: add what it names to PATHS`)
  const given = await values(operation)
  return operation.path.replace(/\{(\w+)\}/g, (_match, name: string) => encodeURIComponent(String(given[name])))
}

// The parameter `queue` of GET /jobs/counts asks for a job of this id.
await queue.add('resize', { userId: 7 }, { jobId: 'counts' })
await until(async () => await make('jobs', 'GET', '/jobs/counts?queue=default'))

const operations = (await Promise.all((Object.keys(urls) as Service[]).map(async service => {
  const document = await (await fetch(`${urls[service]}/openapi.json`)).json() as object
  return operationsOf(document).map(operation => ({ service, ...operation }))
}))).flat()

for (const operation of operations) {
  const { operationId, service, method, examples, body, parameters } = operation
  const bodies = examples.filter(({ place }) => place === 'request')
    .map(({ value }) => ({ ...value as object, ...REPLACED[operationId]?.() }))

  t.test(operationId, async t => {
    async function accepts (what: string, { query = '', ...rest }: { query?: string } & Partial<Sent>) {
      const answer = await send({ service, method, path: `${await pathOf(operation)}${query}`, ...rest })
      t.ok(answer.statusCode < 300, `${what} is accepted: ${answer.statusCode} ${answer.body.slice(0, 2000)}`)
      const isStream = String(answer.headers['content-type']).startsWith('text/event-stream')
      if (!isStream) t.equal(faultOf(operation, answer), undefined, `${what}: the response is as documented`)
    }
    if (body) t.ok(bodies.length > 0, 'the body has an example')
    for (const sent of body ? bodies : [undefined]) {
      await accepts('the example of the body', { body: sent })
    }
    for (const { name, in: place, example } of parameters) {
      if (example === undefined || place === 'path') continue
      const text = example as string
      const given = place === 'query' ? { query: `?${name}=${encodeURIComponent(text)}` } : { headers: { [name]: text } }
      await accepts(`the example of ${name}`, { ...given, body: bodies[0] })
    }
    const names = parameters.filter(({ in: place }) => place === 'query').map(({ name }) => name)
    const optional = names.filter(name => method === 'GET' && name !== 'userId')
    if (optional.length > 0) await accepts('a parameter without a value', { query: `?${optional.join('=&')}=` })
    for (const name of names.filter(name => !optional.includes(name))) {
      const path = operation.path.replace(/\{\w+\}/g, '1') // refused before anything is looked for
      const answer = await send({ service, method, path: `${path}?${name}=`, body: bodies[0] })
      t.equal(answer.statusCode, 400, `${name} without a value`)
      t.match(JSON.parse(answer.body), { errors: [{ path: `querystring.${name}` }] })
    }
    for (const { place, schema, value } of examples) {
      t.ok(matches(schema, value), `the example of ${place} is as its schema says`)
    }
  })
}
