import Fastify, { type FastifyInstance, type InjectOptions } from 'fastify'
import t from 'tap'
import { signAccessToken } from '@tidings/contracts'
import type { TestContext } from '@tidings/testing'
import { problems, redactedUrl, requestId, serviceOptions } from '../src/index.ts'

const JWT = signAccessToken({ userId: '1', secret: 'a-secret-for-tests-and-nothing-else', expiresInMs: 60_000 })

/** Everything that a service logs of a request. */
async function logged (t: TestContext, request: InjectOptions): Promise<string> {
  const lines: string[] = []
  const options = serviceOptions({ LOG_LEVEL: 'trace' })
  const app: FastifyInstance = Fastify(
    { ...options, logger: { ...options.logger, stream: { write: (line: string) => { lines.push(line) } } } }
  )
  t.teardown(() => app.close())
  app.register(problems)
  app.get('/jobs', async () => 'ok')
  await app.inject(request)
  return lines.join('')
}

t.test('a token in a query string is not logged, under any parameter name', async t => {
  for (const name of [
    'token', 'access_token', 'accessToken', 'Authorization', 'ticket', 'jwt', 'id_token', 'refresh_token', 'api_key',
    'q', '%74oken'
  ]) {
    const log = await logged(t, { url: `/jobs?page=2&${name}=${JWT}&limit=5` })
    t.notOk(log.includes(JWT), name)
    t.notOk(log.includes(JWT.split('.')[2] as string), `${name}: not its signature either`)
    t.match(log, '/jobs?')
  }
  t.equal(redactedUrl('/events?lastEventId=1-0&ticket=mZ0hWn3f&x=1'), '/events?lastEventId=1-0&ticket=[redacted]&x=1')
  t.equal(redactedUrl('/jobs?page=2&name=keyboard'), '/jobs?page=2&name=keyboard')
})

t.test('no token of a URL without a route, or of a malformed URL, is logged', async t => {
  for (const url of [`/nothing?token=${JWT}`, `/nothing/${JWT}`, `/jobs/%zz?token=${JWT}`]) {
    t.notOk((await logged(t, { url })).includes(JWT), url.slice(0, 15))
  }
})

t.test('a request keeps the id of its client only where that is short and harmless', async t => {
  const idOf = (id: string | string[] | undefined) => requestId({ headers: { 'x-request-id': id as string } })
  const UUID = /^[\da-f-]{36}$/
  for (const id of [
    'of-a-client', '0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17', 'Root=1-67891233-abcdef012345678912345678', 'a'.repeat(128)
  ]) t.equal(idOf(id), id)
  for (const id of [
    'a'.repeat(129), 'x'.repeat(9000), '', 'two words', 'line\nbreak', '<script>', 'é', '{"a":1}', undefined
  ]) t.match(idOf(id), UUID)
  const log = await logged(t, { url: '/jobs', headers: { 'x-request-id': 'x'.repeat(9000) } })
  t.notOk(log.includes('xxxx'))
})
