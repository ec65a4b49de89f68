import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { createTokenVerifier, TokenRefused, type JwtSettings } from '@tidings/contracts'

// Forged tokens, row by row. REST, Socket.IO, WebSockets and event streams verify with the same function; what claims
// mean, and times, are in packages/contracts/test/jwt/verifier.test.ts.

const SECRET = 'the secret of these tests, which nobody else knows'
const CLAIMS = { userId: 7, iat: Math.floor(Date.now() / 1000), exp: Math.floor(Date.now() / 1000) + 3600 }

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const attacker = generateKeyPairSync('rsa', { modulusLength: 2048 })

const provider = createServer((_request, response) => {
  const keys = [
    { ...jwkOf(rsa.publicKey), kid: 'rsa', alg: 'RS256' }, { ...jwkOf(ec.publicKey), kid: 'ec', alg: 'ES256' }
  ]
  response.end(JSON.stringify({ keys }))
}).listen(0, '127.0.0.1')
await once(provider, 'listening')
t.teardown(() => provider.close())
const JWKS_URL = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/keys`

/** Each way in which a deployment may verify tokens; no forged token passes any of them. */
const DEPLOYMENTS: Record<string, JwtSettings> = {
  'a secret': { TOKEN_SECRET: SECRET },
  'published keys': { JWKS_URL },
  both: { TOKEN_SECRET: SECRET, JWKS_URL }
}
const verifiers = Object.entries(DEPLOYMENTS)
  .map(([name, settings]) => ({ name, verify: createTokenVerifier(settings) }))

const encoded = (value: object | string) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const unsignedText = (header: object, claims: object | string = CLAIMS) => `${encoded(header)}.${encoded(claims)}`

type HmacOptions = { secret?: string | Buffer, hash?: string, claims?: object | string }

function hmac (header: object, { secret = SECRET, hash = 'sha256', claims = CLAIMS }: HmacOptions = {}): string {
  const text = unsignedText(header, claims)
  return `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`
}

function rs256 (header: object, key: KeyObject) {
  const text = unsignedText({ alg: 'RS256', ...header })
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`
}

function jwkOf (key: KeyObject) {
  return key.export({ format: 'jwk' })
}

const good = hmac({ alg: 'HS256', typ: 'JWT' })
const [head = '', body = '', signature = ''] = good.split('.')
const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
const jwk = jwkOf(attacker.publicKey)

const FORGED: Record<string, string> = {
  'without a signature (alg none)': `${unsignedText({ alg: 'none' })}.`,
  'alg None': `${unsignedText({ alg: 'None' })}.`,
  'alg NONE, with a signature': `${unsignedText({ alg: 'NONE' })}.${signature}`,
  'no alg at all': `${unsignedText({ typ: 'JWT' })}.${signature}`,
  'an alg of another type': hmac({ alg: ['HS256'] }),
  'hs256 in small letters': hmac({ alg: 'hs256' }),
  'HS384 with our secret': hmac({ alg: 'HS384' }, { hash: 'sha384' }),
  'HS512 with our secret': hmac({ alg: 'HS512' }, { hash: 'sha512' }),
  'HS256 with an empty secret': hmac({ alg: 'HS256' }, { secret: '' }),
  'HS256 with the published key as its secret': hmac({ alg: 'HS256', kid: 'rsa' }, { secret: pem }),
  'HS256 with the published key in DER as its secret': hmac({ alg: 'HS256', kid: 'rsa' }, {
    secret: rsa.publicKey.export({ type: 'spki', format: 'der' })
  }),
  'HS256 with a file that kid names as its secret': hmac({ alg: 'HS256', kid: '../../../../dev/null' }, { secret: '' }),
  'HS256 with SQL in its kid': hmac({ alg: 'HS256', kid: "x' union select 'known" }, { secret: 'known' }),
  'a key of its own (jwk)': rs256({ jwk }, attacker.privateKey),
  'a key of its own under the id of a published one': rs256({ kid: 'rsa', jwk }, attacker.privateKey),
  'a URL of its own keys (jku)': rs256({ kid: 'rsa', jku: JWKS_URL }, attacker.privateKey),
  'a URL of its own certificate (x5u)': rs256({ kid: 'rsa', x5u: JWKS_URL }, attacker.privateKey),
  'RS256 with the id of the key for ES256': rs256({ kid: 'ec' }, rsa.privateKey),
  'ES256 with a signature of zeros': `${unsignedText({ alg: 'ES256', kid: 'ec' })}.${Buffer.alloc(64).toString('base64url')}`,
  'ES256 without a signature': `${unsignedText({ alg: 'ES256', kid: 'ec' })}.`,
  'another user under the signature of a good token': `${head}.${encoded({ ...CLAIMS, userId: 8 })}.${signature}`,
  'another header over a good token': `${encoded({ alg: 'HS256' })}.${body}.${signature}`,
  'a signature that is cut off': good.slice(0, -4),
  'no signature': `${head}.${body}.`,
  'two parts': `${head}.${body}`,
  'four parts': `${good}.${signature}`,
  'five parts, as if encrypted': `${head}.${body}.${signature}.${body}.${signature}`,
  'claims that are a list': hmac({ alg: 'HS256' }, { claims: '[7]' }),
  'claims that are null': hmac({ alg: 'HS256' }, { claims: 'null' }),
  'claims that are no JSON': hmac({ alg: 'HS256' }, { claims: '{"userId":7' }),
  'a user in the prototype of the claims': hmac({ alg: 'HS256' }, { claims: '{"__proto__":{"userId":7}}' }),
  'critical extensions that nobody knows': hmac({ alg: 'HS256', crit: ['exp2'], exp2: 1 }),
  'a null byte behind it': `${good}\0`,
  'a line behind it': `${good}\nx`
}

async function outcome (verify: ReturnType<typeof createTokenVerifier>, token: string): Promise<string> {
  try {
    return `user ${(await verify(token)).userId}`
  } catch (err) {
    return err instanceof TokenRefused ? err.code : String(err)
  }
}

t.test('good tokens pass where they are meant to', async t => {
  const published = rs256({ kid: 'rsa' }, rsa.privateKey)
  const outcomes = await Promise.all(verifiers.map(async ({ name, verify }) =>
    [name, await outcome(verify, good), await outcome(verify, published)]))
  t.same(outcomes, [
    ['a secret', 'user 7', 'token_invalid'], ['published keys', 'token_invalid', 'user 7'], ['both', 'user 7', 'user 7']
  ])
})

for (const [forgery, token] of Object.entries(FORGED)) {
  t.test(`a forged token is refused: ${forgery}`, async t => {
    for (const { name, verify } of verifiers) {
      t.equal(await outcome(verify, token), 'token_invalid', name)
      t.equal(await outcome(verify, token), 'token_invalid', `${name}, again: no refused token is cached`)
    }
  })
}

t.test('names of JavaScript\'s own are users like others', async t => {
  const verify = createTokenVerifier({ TOKEN_SECRET: SECRET })
  for (const userId of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    t.equal(await outcome(verify, hmac({ alg: 'HS256' }, { claims: { ...CLAIMS, userId } })), `user ${userId}`)
  }
})
