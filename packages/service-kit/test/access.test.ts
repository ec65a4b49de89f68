import Fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { jwtAuth } from '@tidings/contracts'
import { TEST_SECRET, tokenOf, type TestContext } from '@tidings/testing'
import { accessControl, docs, problems, serviceOptions, validatorCompiler, type Access } from '../src/index.ts'

type Line = {
  audit?: boolean
  actor?: string
  user?: string
  route?: string
  method?: string
  requestId?: string
  status?: number | null
}

async function service (t: TestContext, { LOG_LEVEL = 'error' }: { LOG_LEVEL?: 'error' | 'silent' } = {}) {
  const lines: string[] = []
  const options = serviceOptions({ LOG_LEVEL })
  const app: FastifyInstance = Fastify({
    ...options,
    logger: { ...options.logger, stream: { write: (line: string) => { lines.push(line) } } }
  })
  app.setValidatorCompiler(validatorCompiler).register(problems).register(docs, {
    title: 't',
    description: 'd',
    version: '1',
    tags: {}
  })
  app.register(jwtAuth, { settings: { TOKEN_SECRET: TEST_SECRET } })
  app.register(async app => {
    app.addHook('onRequest', app.authenticate)
    await app.register(accessControl)
    const add = (method: 'GET' | 'POST' | 'DELETE', url: string, access: Access, allUsers = false) =>
      app.route({
        method,
        url,
        config: { access, allUsers },
        handler: async ({ ownerId, isAllUsers, user }) => ({ ownerId, isAllUsers, actor: user.userId })
      })
    add('GET', '/jobs', 'jobs:read', true)
    add('GET', '/jobs/:id', 'jobs:read')
    add('POST', '/jobs/:id/cancel', 'jobs:write')
    add('GET', '/webhooks', 'webhooks:read')
    add('GET', '/me', 'token')
    add('DELETE', '/users/:userId', 'operator:write')
  })
  t.teardown(() => app.close())
  await app.ready()
  const call = (request: string, scope?: string, user: string | number = 1) => {
    const [method, url] = request.split(' ') as ['GET', string]
    return app.inject({
      method,
      url,
      headers: { authorization: `Bearer ${tokenOf(user, { scope })}`, 'x-request-id': 'r1' }
    })
  }
  const audits = () => lines.map(line => JSON.parse(line) as Line).filter(({ audit }) => audit)
  return { app, call, audits, lines }
}

t.test('a token without a scope claim may do everything with its user\'s data, nothing with others', async t => {
  const { call } = await service(t)
  for (const request of [
    'GET /jobs',
    'GET /jobs/1',
    'POST /jobs/1/cancel',
    'GET /webhooks',
    'GET /me',
    'GET /jobs?userId=1'
  ]) {
    const response = await call(request)
    t.equal(response.statusCode, 200, request)
    t.same(response.json(), { ownerId: '1', isAllUsers: false, actor: '1' }, request)
  }
  for (const request of [
    'GET /jobs?userId=2',
    'GET /jobs?userId=*',
    'POST /jobs/1/cancel?userId=2',
    'DELETE /users/1'
  ]) {
    t.equal((await call(request)).statusCode, 403, request)
  }
})

t.test('a missing scope is a 403 that names it, in the problem and in the challenge', async t => {
  const { call } = await service(t)
  const response = await call('POST /jobs/1/cancel', 'jobs:read webhooks:write')
  t.equal(response.statusCode, 403)
  t.match(response.json(), {
    type: 'urn:tidings:problem:insufficient-scope',
    status: 403,
    detail: 'The token lacks the scope jobs:write'
  })
  t.equal(response.headers['www-authenticate'], 'Bearer error="insufficient_scope", scope="jobs:write"')
  t.equal((await call('GET /jobs', 'jobs:read')).statusCode, 200)
  t.equal((await call('GET /webhooks', 'webhooks:write')).statusCode, 403, 'to write is not to read')
  t.equal((await call('GET /jobs', 'openid profile')).statusCode, 403, 'unknown words grant nothing')
  t.equal((await call('GET /jobs', '')).statusCode, 403)
  t.equal((await call('GET /me', '')).statusCode, 200, 'any token may ask who it is')
  t.equal((await call('HEAD /jobs', '')).statusCode, 403)
})

t.test('operator:read names a user on routes that read, operator:write on all', async t => {
  const { call } = await service(t)
  const others = { ownerId: '2', isAllUsers: false, actor: '1' }
  for (const scope of ['operator:read', 'operator:write']) {
    t.same((await call('GET /jobs/1?userId=2', scope)).json(), others)
    t.same((await call('GET /webhooks?userId=2', scope)).json(), others)
    t.same((await call('GET /jobs?userId=*', scope)).json(), { ownerId: '', isAllUsers: true, actor: '1' })
    t.equal((await call('GET /jobs', scope)).statusCode, 403, 'its own data needs a scope of its own')
  }
  t.same((await call('POST /jobs/1/cancel?userId=2', 'operator:write')).json(), others)
  t.match((await call('POST /jobs/1/cancel?userId=2', 'jobs:write operator:read')).json(), {
    detail: 'The token lacks the scope operator:write'
  })
  t.match((await call('GET /jobs?userId=2', 'jobs:read')).json(), { detail: 'The token lacks the scope operator:read' })
  t.equal((await call('DELETE /users/2', 'operator:write')).statusCode, 200)
  t.equal((await call('DELETE /users/2', 'operator:read')).statusCode, 403)
})

t.test('a user id that is none, or given twice, or * where one user is meant, is a 400', async t => {
  const { call } = await service(t)
  for (const query of ['userId=', 'userId=2&userId=3', 'userId=%00', `userId=${'x'.repeat(129)}`, 'userId=*']) {
    const response = await call(`GET /jobs/1?${query}`, 'operator:write')
    t.equal(response.statusCode, 400, query)
    t.match(response.json(), { errors: [{ path: 'querystring.userId' }] }, query)
  }
})

t.test('a user who is called * is one user', async t => {
  const { call } = await service(t)
  t.same((await call('GET /jobs', undefined, '*')).json(), { ownerId: '*', isAllUsers: false, actor: '*' })
  t.same((await call('GET /jobs?userId=*', undefined, '*')).json(), { ownerId: '*', isAllUsers: false, actor: '*' })
})

t.test('each request of an operator is logged once at any LOG_LEVEL, and so is each refused one', async t => {
  const { call, audits, lines } = await service(t)
  await call('GET /jobs/:id?userId=2'.replace(':id', 'a'), 'operator:read')
  await call('POST /jobs/a/cancel?userId=2', 'operator:read')
  await call('GET /jobs?userId=2')
  await call('GET /jobs?userId=*', 'operator:read')
  await call('DELETE /users/3', 'operator:write')
  await call('GET /jobs')
  t.match(audits(), [
    { actor: '1', user: '2', route: '/jobs/:id', method: 'GET', requestId: 'r1', status: 200 },
    { actor: '1', user: '2', route: '/jobs/:id/cancel', method: 'POST', requestId: 'r1', status: 403 },
    { actor: '1', user: '2', route: '/jobs', method: 'GET', requestId: 'r1', status: 403 },
    { actor: '1', user: '*', route: '/jobs', method: 'GET', requestId: 'r1', status: 200 },
    { actor: '1', user: '3', route: '/users/:userId', method: 'DELETE', requestId: 'r1', status: 200 }
  ])
  t.equal(audits().length, 5)
  const token = tokenOf(9)
  await call(`GET /jobs?userId=${token}`, 'operator:read')
  t.equal(audits().length, 6)
  t.notOk(lines.join('').includes(token.slice(0, 60)), 'a token that stands there by mistake is not logged')
})

t.test('nothing is logged where LOG_LEVEL=silent', async t => {
  const { call, lines } = await service(t, { LOG_LEVEL: 'silent' })
  await call('GET /jobs?userId=2', 'operator:read')
  t.same(lines, [])
})

t.test('a route that does not say who may call it fails the start', async t => {
  const app = Fastify().register(accessControl).register(async app => { app.get('/new', async () => 'open') })
  await t.rejects(async () => await app.ready(), {
    message: 'Route GET /new does not say who may call it (config.access)'
  })
})

t.test('the OpenAPI document names scopes, the parameter userId and the answer 403', async t => {
  const { app } = await service(t)
  const paths = app.swagger().paths as Record<string, Record<string, {
    security: object[],
    parameters?: { name: string }[],
    responses: object
  }>>
  t.match(paths['/jobs/{id}']?.get, { security: [{ bearer: ['jobs:read'] }], responses: { 403: {} } })
  t.ok(paths['/jobs/{id}']?.get?.parameters?.some(({ name }) => name === 'userId'))
  t.match(paths['/users/{userId}']?.delete?.security, [{ bearer: ['operator:write'] }])
})
