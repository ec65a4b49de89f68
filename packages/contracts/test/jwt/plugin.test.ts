import Fastify from 'fastify'
import t from 'tap'
import { bearerToken, jwtAuth, signAccessToken } from '../../src/index.ts'

const secret = 'a secret of these tests'
const app = Fastify()
app.register(jwtAuth, { settings: { TOKEN_SECRET: secret } })
app.register(async app => {
  app.get('/mine', { onRequest: app.authenticate }, async request => request.user.userId)
  app.get('/plain', async request => await request.jwtVerify())
})
t.teardown(() => app.close())

const token = signAccessToken({ userId: '7', secret, expiresInMs: 60_000 })

t.test('a request with a valid token has its user', async t => {
  const answer = await app.inject({ url: '/mine', headers: { authorization: `Bearer ${token}` } })
  t.equal(answer.body, '7')
})

t.test('a request without a valid token is refused with a challenge', async t => {
  const none = await app.inject('/mine')
  t.equal(none.statusCode, 401)
  t.equal(none.headers['www-authenticate'], 'Bearer')
  const bad = await app.inject({ url: '/mine', headers: { authorization: 'Bearer x.y.z' } })
  t.equal(bad.statusCode, 401)
  t.match(bad.headers['www-authenticate'], /error="invalid_token"/)
})

t.test('@fastify/jwt itself verifies with the same keys', async t => {
  const answer = await app.inject({ url: '/plain', headers: { authorization: `Bearer ${token}` } })
  t.match(answer.json(), { userId: 7, type: 'access' })
  const other = signAccessToken({ userId: '7', secret: 'other', expiresInMs: 60_000 })
  t.equal((await app.inject({ url: '/plain', headers: { authorization: `Bearer ${other}` } })).statusCode, 401)
})

t.test('only a bearer token is taken from the header', async t => {
  t.equal(bearerToken('Bearer abc'), 'abc')
  t.equal(bearerToken('bearer  abc '), 'abc')
  for (const header of [undefined, '', 'abc', 'Basic abc', 'Bearer', 'Bearer a b']) {
    t.equal(bearerToken(header), undefined)
  }
})
