import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createSigner } from 'fast-jwt'
import Fastify from 'fastify'
import t from 'tap'
import {
  createTokenVerifier, isIssuedBefore, scopeBits, SCOPES, signAccessToken, signRefreshToken, TokenRefused, USER_SCOPES,
  type JwtSettings, type TokenFault
} from '../../src/index.ts'

const secret = 'a secret of these tests'
const userId = '7'
const hour = 3_600_000

async function refusal (promise: Promise<unknown>): Promise<TokenFault | undefined> {
  try {
    await promise
  } catch (err) {
    if (err instanceof TokenRefused) return err.code
    throw err
  }
}

/** A verifier that always returns a promise. */
function verifier (settings: JwtSettings) {
  const verify = createTokenVerifier(settings)
  return async (token: string | undefined) => await verify(token)
}

/** Signs claims exactly as written: a signer would correct odd ones. */
function signText (claims: string): string {
  const signed = ['{"alg":"HS256","typ":"JWT"}', claims].map(part => Buffer.from(part).toString('base64url')).join('.')
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

const encoded = (text: string) => Buffer.from(text).toString('base64url')
const unsigned = (claims: object) => `${encoded('{"alg":"none","typ":"JWT"}')}.${encoded(JSON.stringify(claims))}.`

t.test('a cached token is answered synchronously', async t => {
  const verify = createTokenVerifier({ TOKEN_SECRET: secret })
  const token = signAccessToken({ userId, secret, expiresInMs: hour })
  t.ok(verify(token) instanceof Promise)
  const identity = await verify(token)
  t.equal(verify(token), identity)
})

t.test('HS256', async t => {
  const verify = verifier({ TOKEN_SECRET: secret })

  t.test('a valid token yields its user and its times', async t => {
    const before = Date.now()
    const identity = await verify(signAccessToken({ userId, secret, expiresInMs: hour }))
    t.equal(identity.userId, userId)
    t.ok(Math.abs((identity.expiresAt ?? 0) - before - hour) < 5000)
  })

  t.test('the user is claim userId, number or text, else sub', async t => {
    const sign = createSigner({ key: secret, algorithm: 'HS256' })
    t.equal((await verify(sign({ userId: 7 }))).userId, '7')
    t.equal((await verify(sign({ userId: 'alice', sub: 'b' }))).userId, 'alice')
    t.equal((await verify(sign({ sub: 'b' }))).userId, 'b')
    t.equal((await verify(sign({ sub: 'b' }))).expiresAt, null)
    t.equal(await refusal(verify(sign({ name: 'nobody' }))), 'token_invalid')
    t.equal(await refusal(verify(sign({ userId: { a: 1 } }))), 'token_invalid')
  })

  t.test('a number that is not a safe integer does not identify a user, and the reason is given', async t => {
    for (const claims of [
      '{"userId":9007199254740993}', '{"userId":9007199254740992}', '{"sub":1e300}', '{"userId":7.5}'
    ]) {
      await t.rejects(verify(signText(claims)), { code: 'token_invalid', message: /2\^53-1/ }, claims)
    }
    t.equal((await verify(signText('{"userId":"9007199254740993"}'))).userId, '9007199254740993', 'as a string it does')
  })

  t.test('a missing, foreign, expired, unsigned or malformed token is refused', async t => {
    t.equal(await refusal(verify(undefined)), 'token_missing')
    t.equal(await refusal(verify('')), 'token_missing')
    t.equal(await refusal(verify(signAccessToken({ userId, secret: 'another', expiresInMs: hour }))), 'token_invalid')
    t.equal(
      await refusal(verify(createSigner({ key: secret, clockTimestamp: 1000 })({ userId: 7, exp: 2 }))), 'token_expired'
    )
    t.equal(await refusal(verify(unsigned({ userId: 7 }))), 'token_invalid')
    t.equal(await refusal(verify('a.b.c')), 'token_invalid')
  })

  t.test('a refresh token is not an access token', async t => {
    t.equal(await refusal(verify(signRefreshToken({ userId, secret, expiresInMs: hour }))), 'token_invalid')
  })

  t.test('a refreshed token is as old as its login', async t => {
    const revokedAt = Math.floor(Date.now() / 1000) - 60
    const good = { userId, secret, expiresInMs: hour }
    t.equal(isIssuedBefore(await verify(signAccessToken(good)), revokedAt), false)
    t.equal(
      isIssuedBefore(await verify(signAccessToken({ ...good, signedInAt: Date.now() - 120_000 })), revokedAt), true
    )
    t.equal(
      isIssuedBefore(await verify(signAccessToken({ ...good, signedInAt: Date.now() - 30_000 })), revokedAt), false
    )
  })

  t.test('a cached token expires', async t => {
    const verify = verifier({ TOKEN_SECRET: secret, JWT_CLOCK_TOLERANCE: 0 })
    const exp = Math.floor(Date.now() / 1000) + 2 // in more than a second: `exp` counts whole seconds
    const token = createSigner({ key: secret })({ userId: 7, exp })
    t.equal((await verify(token)).userId, '7')
    await new Promise(resolve =>
      setTimeout(resolve, exp * 1000 - Date.now() + 1050)) // the cache's resolution is a second
    t.equal(await refusal(verify(token)), 'token_expired')
  })
})

t.test('the clock of an issuer may differ by the tolerance, but not more', async t => {
  const sign = createSigner({ key: secret, algorithm: 'HS256' })
  const now = Math.floor(Date.now() / 1000)
  const outcome = async (claims: object, settings: JwtSettings = {}) =>
    await refusal(verifier({ TOKEN_SECRET: secret, ...settings })(sign({ userId: 7, ...claims })))

  t.equal(await outcome({ nbf: now + 5 }), undefined)
  t.equal(await outcome({ exp: now - 5 }), undefined)
  t.equal(await outcome({ iat: now + 5 }), undefined)
  t.equal(await outcome({ nbf: now + 60 }), 'token_invalid')
  t.equal(await outcome({ exp: now - 60 }), 'token_expired')
  t.equal(await outcome({ iat: now + 60 }), 'token_invalid')

  const strict = { JWT_CLOCK_TOLERANCE: 0 }
  t.equal(await outcome({ nbf: now + 5 }, strict), 'token_invalid')
  t.equal(await outcome({ exp: now - 5 }, strict), 'token_expired')
  t.equal(await outcome({ iat: now + 5 }, strict), 'token_invalid')
  t.equal(await outcome({ nbf: now + 60, exp: now + 100 }, { JWT_CLOCK_TOLERANCE: 120 }), undefined)

  const verify = verifier({ TOKEN_SECRET: secret })
  const late = await verify(sign({ userId: 7, exp: now - 5 }))
  t.same([late.expiresAt, late.acceptedUntil], [(now - 5) * 1000, (now + 5) * 1000])
})

t.test('an expiry is a whole number of milliseconds, and a time', async t => {
  const verify = verifier({ TOKEN_SECRET: secret })
  t.equal((await verify(signText('{"userId":7,"exp":4102444800.1239}'))).expiresAt, 4_102_444_800_123)
  for (const exp of ['1e400', '1e308', '1e30', '8640000000001']) {
    await t.rejects(verify(signText(`{"userId":7,"exp":${exp}}`)), { message: 'Claim exp is not a time' }, exp)
  }
})

t.test('a token that is not valid yet is refused as such', async t => {
  const token = signText(`{"userId":7,"nbf":${Math.floor(Date.now() / 1000) + 60}}`)
  await t.rejects(verifier({ TOKEN_SECRET: secret })(token), {
    code: 'token_invalid', message: 'The token is not valid yet'
  })
})

t.test('no token survives a revocation by its claimed time of issue', async t => {
  const sign = (claims: object) => signText(JSON.stringify(claims))
  const verify = verifier({ TOKEN_SECRET: secret })
  const now = Math.floor(Date.now() / 1000)
  const revokedAt = now + 2

  for (const iat of ['4102444800', null, true, [now], { now }, now + 3600, 8.64e15]) {
    t.equal(await refusal(verify(sign({ userId: 7, iat }))), 'token_invalid', JSON.stringify(iat))
    t.equal(await refusal(verify(sign({ userId: 7, iat: now, signedInAt: iat }))), 'token_invalid', JSON.stringify(iat))
  }
  for (const claims of [
    {}, { iat: now - 5 }, { iat: now + 8 }, { iat: now - 5, signedInAt: now + 8 }, { iat: now, signedInAt: now - 5 }
  ]) {
    t.ok(isIssuedBefore(await verify(sign({ userId: 7, ...claims })), revokedAt), JSON.stringify(claims))
  }
})

t.test('exp must be a time', async t => {
  const verify = verifier({ TOKEN_SECRET: secret, JWT_REQUIRE_EXP: true })
  t.equal(await refusal(verify(signText('{"userId":7,"exp":1e400}'))), 'token_invalid')
  t.equal(await refusal(verify(signText('{"userId":7,"exp":"4102444800"}'))), 'token_invalid')
  t.equal(await refusal(verify(signText('{"userId":7,"exp":4102444800}'))), undefined)
})

t.test('the scopes of a token', async t => {
  const sign = createSigner({ key: secret, algorithm: 'HS256' })
  const scopes = async (claims: object) =>
    (await verifier({ TOKEN_SECRET: secret })(sign({ userId: 7, ...claims }))).scopes
  t.same(await scopes({}), USER_SCOPES)
  t.same(await scopes({ scope: 'jobs:read  operator:write' }), ['jobs:read', 'operator:write'])
  t.same(await scopes({ scope: ['jobs:read'] }), ['jobs:read'])
  t.same(await scopes({ scope: '' }), [])
  t.same(await scopes({ scope: 'openid Jobs:read jobs:readx jobs' }), [], 'an unknown word grants nothing')
  for (const scope of [null, 7, true, {}]) t.same(await scopes({ scope }), [], 'a claim of another type grants nothing')
})

t.test('scopes as bits', t => {
  t.equal(scopeBits([]), 0)
  t.equal(new Set(SCOPES.map(scope => scopeBits([scope]))).size, SCOPES.length)
  t.equal(scopeBits(SCOPES), 2 ** SCOPES.length - 1)
  t.end()
})

t.test('where issuer, audience and expiry are required, a token without them is refused', async t => {
  const verify = verifier({ TOKEN_SECRET: secret, JWT_ISSUER: 'idp', JWT_AUDIENCE: 'tidings', JWT_REQUIRE_EXP: true })
  const good = { userId, secret, expiresInMs: hour, issuer: 'idp', audience: 'tidings' }
  t.equal((await verify(signAccessToken(good))).userId, userId)
  t.equal(await refusal(verify(signAccessToken({ ...good, issuer: 'other' }))), 'token_invalid')
  t.equal(await refusal(verify(signAccessToken({ ...good, issuer: undefined }))), 'token_invalid')
  t.equal(await refusal(verify(signAccessToken({ ...good, audience: undefined }))), 'token_invalid')
  t.equal(
    await refusal(verify(createSigner({ key: secret, iss: 'idp', aud: 'tidings' })({ userId: 7 }))), 'token_invalid'
  )
})

t.test('keys of an identity provider', async t => {
  const pairs = {
    RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    EdDSA: generateKeyPairSync('ed25519')
  }
  const pem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString()
  const provider = Fastify()
  let fetches = 0
  provider.get('/keys', async () => {
    fetches++
    return {
      keys: Object.entries(pairs).map(([alg, { publicKey }]) =>
        ({ ...publicKey.export({ format: 'jwk' }), alg, kid: alg, use: 'sig' }))
    }
  })
  const JWKS_URL = `${await provider.listen({ host: '127.0.0.1', port: 0 })}/keys`
  t.teardown(() => provider.close())
  const verify = verifier({ JWKS_URL })

  for (const alg of ['RS256', 'ES256', 'EdDSA'] as const) {
    t.test(`${alg} tokens are verified with the published key`, async t => {
      const sign = createSigner({ key: pem(pairs[alg].privateKey), algorithm: alg, kid: alg })
      t.equal((await verify(sign({ sub: alg }))).userId, alg)
      const forged = createSigner({ key: pem(pairs.RS256.privateKey), algorithm: 'RS256', kid: alg })
      if (alg !== 'RS256') t.equal(await refusal(verify(forged({ sub: alg }))), 'token_invalid')
    })
  }

  t.test('keys are fetched once, not for each token', async t => {
    const sign = createSigner({ key: pem(pairs.ES256.privateKey), algorithm: 'ES256', kid: 'ES256' })
    const before = fetches
    for (let n = 0; n < 5; n++) await verify(sign({ sub: String(n) }))
    t.equal(fetches, before)
  })

  t.test('a public key is never taken for a secret', async t => {
    const publicPem = pairs.RS256.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: 'RS256' })).toString('base64url')
    const claims = Buffer.from(JSON.stringify({ sub: 'mallory' })).toString('base64url')
    const { createHmac } = await import('node:crypto')
    const signature = createHmac('sha256', publicPem).update(`${header}.${claims}`).digest('base64url')
    t.equal(await refusal(verify(`${header}.${claims}.${signature}`)), 'token_invalid')
    const both = verifier({ JWKS_URL, TOKEN_SECRET: secret })
    t.equal(await refusal(both(`${header}.${claims}.${signature}`)), 'token_invalid')
  })
})
