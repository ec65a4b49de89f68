import { createHmac, randomUUID } from 'node:crypto'
import { createSigner } from 'fast-jwt'
import t from 'tap'
import { REVOCATIONS_KEY, signRefreshToken, USER_SCOPES } from '@tidings/contracts'
import { TEST_SECRET, tokenOf, until } from '@tidings/testing'
import { setup, startApp } from '../setup.ts'

const REFRESH_SECRET = `${TEST_SECRET}, refreshed`
const refreshTokenOf = (userId: string, options = {}) => signRefreshToken({
  userId, secret: REFRESH_SECRET, expiresInMs: 60_000, ...options
})

t.test('POST /auth/refresh', async t => {
  const { app, database } = await setup(t)
  const refresh = async (refreshToken: unknown) => await app.inject({
    method: 'POST', url: '/auth/refresh', payload: { refreshToken }
  })
  /** As if the last rotation of every family were so long ago. */
  const pass = async (seconds: number) =>
    await database.sql`update jobs.refresh_families set rotated_at = rotated_at - make_interval(secs => ${seconds})`

  await t.test('returns an access token that works, and a new refresh token', async t => {
    const answer = await refresh(refreshTokenOf('7'))
    t.equal(answer.statusCode, 200)
    t.equal(answer.headers['cache-control'], 'no-store')
    const { token, refreshToken, expiresIn } = answer.json()
    t.equal(expiresIn, 900)
    t.equal((await app.inject({ url: '/jobs', headers: { authorization: `Bearer ${token}` } })).statusCode, 200)
    t.equal(
      (await app.inject({ url: '/jobs', headers: { authorization: `Bearer ${refreshToken}` } })).statusCode, 401,
      'a refresh token is not an access token'
    )
    t.equal((await refresh(refreshToken)).statusCode, 200)
  })

  await t.test('keeps the scopes of the login over all rotations', async t => {
    for (const [scope, scopes] of [
      ['jobs:read operator:read', ['jobs:read', 'operator:read']], ['', []], ['openid', []],
      [undefined, [...USER_SCOPES]]
    ] as const) {
      let refreshToken = refreshTokenOf('7', { scope })
      for (let i = 0; i < 3; i++) {
        const tokens = (await refresh(refreshToken)).json()
        const me = await app.inject({ url: '/me', headers: { authorization: `Bearer ${tokens.token}` } })
        t.same(me.json().scopes, scopes, `claim ${scope}`)
        refreshToken = tokens.refreshToken
      }
    }
  })

  await t.test('refuses a user id beyond 2^53 with the reason', async t => {
    const exp = Math.ceil(Date.now() / 1000) + 60
    const claims = `{"userId":9007199254740993,"type":"refresh","family":"f","jti":"j","exp":${exp}}`
    const signed = ['{"alg":"HS256","typ":"JWT"}', claims].map(
      part => Buffer.from(part).toString('base64url')
    ).join('.')
    const answer = await refresh(`${signed}.${createHmac('sha256', REFRESH_SECRET).update(signed).digest('base64url')}`)
    t.match(answer.json(), { status: 401, type: 'urn:tidings:problem:refresh-refused', detail: /2\^53-1/ })
  })

  await t.test('accepts the used token once more: the first response may have been lost', async t => {
    const first = refreshTokenOf('7')
    const [a, b] = [await refresh(first), await refresh(first)]
    t.same([a.statusCode, b.statusCode], [200, 200])
    t.equal((await refresh(b.json().refreshToken)).statusCode, 200)
    t.equal((await refresh(a.json().refreshToken)).statusCode, 200, 'both responses had the same token')
  })

  await t.test('answers concurrent requests with the same token', async t => {
    const first = refreshTokenOf('7')
    const answers = await Promise.all(Array.from({ length: 10 }, async () => await refresh(first)))
    t.ok(answers.every(({ statusCode }) => statusCode === 200))
    t.equal((await refresh(answers[9]?.json().refreshToken)).statusCode, 200)
  })

  await t.test('revokes the family when a token is used again after 30 seconds', async t => {
    const first = refreshTokenOf('7')
    const second = (await refresh(first)).json().refreshToken
    await pass(31)
    t.equal((await refresh(first)).statusCode, 401)
    t.equal((await refresh(second)).statusCode, 401, 'the newest of the family is refused too')
  })

  await t.test('revokes the family when a token older than the last is used', async t => {
    const first = refreshTokenOf('7')
    const second = (await refresh(first)).json().refreshToken
    const third = (await refresh(second)).json().refreshToken
    t.equal((await refresh(first)).statusCode, 401)
    t.equal((await refresh(third)).statusCode, 401)
  })

  await t.test('does not affect other families', async t => {
    t.equal((await refresh(refreshTokenOf('7'))).statusCode, 200)
  })

  await t.test('accepts only a valid refresh token', async t => {
    const family = randomUUID()
    t.equal((await refresh(refreshTokenOf('7', { family }))).statusCode, 200)
    const refused = {
      'an access token': tokenOf(7),
      'an access token signed with the other secret': tokenOf(7, { secret: REFRESH_SECRET }),
      'another secret': refreshTokenOf('7', { secret: 'another-secret-altogether-than-ours' }),
      expired: refreshTokenOf('7', { expiresInMs: -60_000 }),
      'no token': 'nonsense',
      'another user in the family': refreshTokenOf('8', { family })
    }
    for (const [what, token] of Object.entries(refused)) {
      const answer = await refresh(token)
      t.equal(answer.statusCode, 401, what)
      t.match(answer.headers, { 'content-type': /problem\+json/, 'www-authenticate': 'Bearer' })
    }
    for (const bad of [undefined, 5, '']) t.equal((await refresh(bad)).statusCode, 400)
  })
})

t.test('tokens have the configured lifetimes', async t => {
  const { app } = await setup(t, { ACCESS_TOKEN_TTL_MS: '60000', REFRESH_TOKEN_TTL_MS: '120000' })
  const answer = (await app.inject({
    method: 'POST', url: '/auth/refresh', payload: { refreshToken: refreshTokenOf('7') }
  })).json()
  const lifeOf = (token: string) => {
    const { iat, exp } = JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString())
    return exp - iat
  }
  t.same([answer.expiresIn, lifeOf(answer.token), lifeOf(answer.refreshToken)], [60, 60, 120])
})

t.test('refreshes of a user are limited per minute; invalid tokens do not use up the limit', async t => {
  const { app } = await setup(t, { RATE_LIMIT_MAX: '3' })
  const refresh = async (refreshToken: string) => await app.inject({
    method: 'POST', url: '/auth/refresh', payload: { refreshToken }
  })
  await until(async () => (await refresh('nonsense')).statusCode === 429, {
    what: 'Redis to be connected, and the limit of the address to be used up'
  })
  t.equal((await refresh(refreshTokenOf('7'))).statusCode, 200)
  // a count that takes too long is skipped
  await until(async () => (await refresh(refreshTokenOf('7'))).statusCode === 429)
  t.equal((await refresh(refreshTokenOf('8'))).statusCode, 200)
})

t.test('a revoked user cannot refresh', async t => {
  const { app, redis, env } = await setup(t)
  const seconds = Math.floor(Date.now() / 1000)
  const [before, after] = [seconds - 120, seconds].map(signedInAt => signedInAt * 1000)
  const refresh = async (refreshToken: string, at = app) => await at.inject({
    method: 'POST', url: '/auth/refresh', payload: { refreshToken }
  })
  const statusOf = async (token: string, at = app) => (
    await at.inject({ url: '/jobs', headers: { authorization: `Bearer ${token}` } })
  ).statusCode
  const given = (await refresh(refreshTokenOf('7', { signedInAt: before }))).json()
  await redis.client().hset(REVOCATIONS_KEY, '7', seconds - 60, '8', seconds - 60)

  const other = await startApp(t, env) // has no cached revocations
  await until(() => other.redis.ping())
  // A user whose revocation cannot be read in time is allowed: on a slow machine that may be the first request.
  await until(async () => (await refresh(given.refreshToken, other)).statusCode === 401, {
    what: 'an earlier token to be refused'
  })
  await until(async () => await statusOf(given.token, other) === 401)
  await until(async () => (await refresh(refreshTokenOf('8', { signedInAt: before }), other)).statusCode === 401, {
    what: 'the first token to be refused'
  })
  const renewed = await refresh(refreshTokenOf('7', { signedInAt: after }), other)
  t.equal(renewed.statusCode, 200, 'a new login is accepted')
  t.equal(await statusOf(renewed.json().token, other), 200)
})

t.test('without REFRESH_TOKEN_SECRET there is no refresh', async t => {
  const { app } = await setup(t, { REFRESH_TOKEN_SECRET: '' })
  t.equal((await app.inject({ method: 'POST', url: '/auth/refresh', payload: { refreshToken: 'x' } })).statusCode, 404)
})

t.test('GET /me returns the user and the scopes of the token', async t => {
  const { app } = await setup(t)
  const me = async (token?: string) => await app.inject({
    url: '/me', headers: token === undefined ? {} : { authorization: `Bearer ${token}` }
  })
  const own = await me(tokenOf(7))
  t.equal(own.statusCode, 200)
  t.equal(own.headers['cache-control'], 'no-store')
  t.match(own.json(), { userId: 7, scopes: USER_SCOPES, expiresAt: Number })
  t.match((await me(tokenOf('seven', { scope: 'operator:read jobs:read openid' }))).json(), {
    userId: 'seven', scopes: ['jobs:read', 'operator:read']
  })
  t.same((await me(tokenOf(7, { scope: '' }))).json().scopes, [], 'a token without scopes is allowed too')
  t.equal((await me(createSigner({ key: TEST_SECRET })({ userId: 7 }))).json().expiresAt, null)
  t.equal((await me()).statusCode, 401)
})
