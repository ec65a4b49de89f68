import { generateKeyPairSync } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { createSigner } from 'fast-jwt'
import Fastify from 'fastify'
import t from 'tap'
import { createTokenVerifier, jwtAuth } from '../../src/index.ts'

const publish = (kid: string) => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return {
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' },
    token: (sub: string) => createSigner({ key: pem, algorithm: 'EdDSA', kid })({ sub })
  }
}

const [first, second] = [publish('first'), publish('second')]
const odd = [{ kty: 'oct', k: 'c2VjcmV0', kid: 'secret' }, { kty: 'XYZ', kid: 'unknown kind' }, {
  ...second.jwk, kid: 'encryption', use: 'enc'
}]

let keys: object[] = [...odd, first.jwk]
let isUnavailable = false
let fetches = 0
const provider = Fastify()
provider.get('/keys', async (_request, reply) => {
  fetches++
  return isUnavailable ? reply.code(502).send() : { keys }
})
let onAnswer = () => {}
provider.addHook('onResponse', async () => onAnswer())
const JWKS_URL = `${await provider.listen({ host: '127.0.0.1', port: 0 })}/keys`
t.teardown(() => provider.close())

const realNow = performance.now.bind(performance)
let passed = 0
performance.now = () => realNow() + passed
t.teardown(() => { performance.now = realNow })

const verify = createTokenVerifier({ JWKS_URL })
const outcome = async (token: string) =>
  await Promise.try(verify, token).then(({ userId }) => userId, (err: { code: string }) => err.code)

t.test('made-up key ids do not flood the provider', async t => {
  t.equal(await outcome(first.token('ann')), 'ann')
  t.equal(fetches, 1)
  const answers = await Promise.all(
    Array.from({ length: 50 }, async (_, i) => await outcome(publish(`made-up-${i}`).token('eve')))
  )
  t.same(new Set(answers), new Set(['token_invalid']))
  t.equal(await outcome(publish('secret').token('eve')), 'token_invalid')
  t.equal(fetches, 1)
})

t.test('a new key is found once the keys may be fetched again', async t => {
  keys = [first.jwk, second.jwk]
  t.equal(await outcome(second.token('bob')), 'token_invalid')
  passed += 31_000
  t.equal(await outcome(second.token('bob')), 'bob')
  t.equal(fetches, 2)
})

t.test('a provider that publishes no usable key signs nobody out: its last keys stay valid', async t => {
  const published = keys
  const answers: unknown[] = [new Array(1_100_000).fill(1), [], [{ kty: 'XYZ' }], [null, 'key', 7], 'none', undefined]
  for (const [i, answer] of answers.entries()) {
    keys = answer as object[]
    passed += 31_000 + 600_000
    const answered = new Promise<void>(resolve => { onAnswer = resolve })
    t.equal(await outcome(first.token(`user ${i}`)), `user ${i}`)
    await answered
    t.equal(await outcome(publish('unknown').token('eve')), 'UNAVAILABLE')
    t.equal(await outcome(second.token('bob again')), 'bob again')
  }
  keys = published
  passed += 31_000
})

t.test('while the provider is unavailable its keys stay valid, and other tokens are not called invalid', async t => {
  isUnavailable = true
  passed += 3_600_000
  t.equal(await outcome(first.token('cid')), 'cid')
  t.equal(await outcome(publish('third').token('dan')), 'UNAVAILABLE')

  const app = Fastify().register(jwtAuth, { settings: { JWKS_URL } })
  app.register(async app => { app.get('/', { onRequest: app.authenticate }, async () => 'in') })
  t.teardown(() => app.close())
  const answer = await app.inject({ url: '/', headers: { authorization: `Bearer ${first.token('cid')}` } })
  t.equal(answer.statusCode, 503, 'nor is a token at a service that has just started')

  isUnavailable = false
  passed += 2001
  t.equal(await outcome(publish('third').token('dan')), 'token_invalid')
})

t.test('a key that the provider has withdrawn is dropped', async t => {
  keys = [second.jwk]
  passed += 3_600_000
  const end = realNow() + 40_000
  for (let i = 0; await outcome(first.token(`try ${i}`)) !== 'token_invalid'; i++) {
    if (realNow() > end) throw new Error('The key is still accepted')
    await turn() // the fetch runs in the background
  }
  t.equal(await outcome(second.token('eli')), 'eli')
})
