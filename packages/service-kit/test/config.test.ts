import t from 'tap'
import { Type } from 'typebox'
import {
  commonSettings, ConfigError, corsOrigins, Port, postgresSettings, readConfig, redisUrl, tokenSettings
} from '../src/index.ts'

const schema = Type.Object({ ...commonSettings, ...postgresSettings, PORT: Port(4001) })
const good = { TOKEN_SECRET: 'a secret of thirty-two bytes, at least', DATABASE_URL: 'postgres://localhost/x' }

t.test('an unset variable has its default, and an empty one counts as unset', async t => {
  const config = readConfig(schema, { ...good, REDIS_PORT: '', JWKS_URL: '' })
  t.match(config, { PORT: 4001, HOST: '127.0.0.1', LOG_LEVEL: 'info', REDIS_PORT: 6379 })
  t.notOk('JWKS_URL' in config)
})

t.test('a line break at the end is not part of a value, and blanks alone are not a value', async t => {
  t.match(readConfig(schema, { ...good, TOKEN_SECRET: 'a secret\r\n', REDIS_PORT: ' ', LOG_LEVEL: 'debug\n' }), {
    TOKEN_SECRET: 'a secret', REDIS_PORT: 6379, LOG_LEVEL: 'debug'
  })
})

t.test('all faults are in one message', async t => {
  const faults = () => readConfig(schema, { LOG_LEVEL: 'loud', REDIS_PORT: 'x', JWKS_URL: 'nowhere', PORT: '70000' })
  t.throws(faults, ConfigError)
  for (const name of [/DATABASE_URL/, /LOG_LEVEL .*debug/, /REDIS_PORT/, /JWKS_URL/, /PORT must be <= 65535/]) {
    t.throws(faults, { message: name })
  }
})

t.test('faults of the rules are in the same message as those of the schema', async t => {
  const faults = () => readConfig(
    schema,
    { LOG_LEVEL: 'loud', JWKS_URL: 'ftp://keys.example', CORS_ORIGIN: 'https://a.example/path', PORT: '-1' },
    ({ PORT, LOG_LEVEL }) => [`PORT is ${PORT}, LOG_LEVEL ${LOG_LEVEL}`]
  )
  for (const text of ['- DATABASE_URL is missing\n', 'LOG_LEVEL must be', 'JWKS_URL must be https', 'CORS_ORIGIN: ']) {
    t.throws(faults, { message: text })
  }
  t.throws(faults, { message: 'PORT is 4001, LOG_LEVEL info' }, 'a rule sees defaults in place of faulty values')
  t.throws(() => readConfig(schema, {}), {
    message: /^Configuration is not valid:\n {2}- DATABASE_URL is missing\n {2}- TOKEN_SECRET or JWKS_URL must be set.*$/
  })
})

t.test('a service that cannot verify any token does not start', async t => {
  t.throws(() => readConfig(schema, { DATABASE_URL: 'postgres://x' }), { message: /TOKEN_SECRET or JWKS_URL/ })
})

t.test('a service can add its own rules', async t => {
  t.throws(() => readConfig(schema, good, () => ['this will not do']), { message: /this will not do/ })
})

t.test('REDIS_URL takes precedence over host and port', async t => {
  t.equal(redisUrl(readConfig(schema, { ...good, REDIS_HOST: 'h', REDIS_PORT: '1' })), 'redis://h:1')
  t.equal(redisUrl(readConfig(schema, { ...good, REDIS_URL: 'rediss://u:p@h:2' })), 'rediss://u:p@h:2')
})

t.test('CORS allows any origin outside production, none in production, or the given list', async t => {
  const origins = (env: object) => corsOrigins(readConfig(schema, { ...good, ...env }))
  t.equal(origins({}), true)
  t.same(origins({ NODE_ENV: 'production' }), [])
  t.same(origins({ CORS_ORIGIN: 'https://a.example, https://b.example' }), ['https://a.example', 'https://b.example'])
  t.equal(origins({ CORS_ORIGIN: '*', NODE_ENV: 'production' }), true)
})

t.test('in production a token must expire, unless configured otherwise', async t => {
  const requireExp = (env: object) => tokenSettings(readConfig(schema, { ...good, ...env })).JWT_REQUIRE_EXP
  t.equal(requireExp({}), false)
  t.equal(requireExp({ NODE_ENV: 'production' }), true)
  t.equal(requireExp({ NODE_ENV: 'production', JWT_REQUIRE_EXP: 'false' }), false)
})

t.test('a secret that is shorter than its hash is refused in production only', async t => {
  const schemaWithSecrets = Type.Object({
    ...schema.properties,
    REFRESH_TOKEN_SECRET: Type.Optional(Type.String()),
    WEBHOOK_SECRET_KEY: Type.Optional(Type.String())
  })
  const read = (env: object) => readConfig(schemaWithSecrets, { ...good, NODE_ENV: 'production', ...env })
  for (const name of ['TOKEN_SECRET', 'REFRESH_TOKEN_SECRET', 'WEBHOOK_SECRET_KEY']) {
    t.throws(() => read({ [name]: 'x'.repeat(31) }), { message: new RegExp(`${name} must have at least 32 bytes`) })
    t.equal(read({ [name]: 'x'.repeat(31), NODE_ENV: 'test' }).NODE_ENV, 'test')
    t.equal(read({ [name]: 'ü'.repeat(16) }).NODE_ENV, 'production', 'bytes count, not characters')
  }
})

t.test('JWKS_URL is https:// in production, or on loopback, and never a file', async t => {
  const read = (JWKS_URL: string, NODE_ENV: string) => readConfig(schema, { ...good, JWKS_URL, NODE_ENV }).JWKS_URL
  for (const url of ['file:///etc/keys.json', 'data:application/json,{}', 'ftp://keys.example/jwks']) {
    t.throws(() => read(url, 'development'), { message: /JWKS_URL must be https/ }, url)
  }
  t.throws(() => read('http://keys.example/jwks', 'production'), {
    message: /JWKS_URL must be https:\/\/ in production/
  })
  for (const url of [
    'https://keys.example/jwks', 'http://127.0.0.1:8080/jwks', 'http://localhost/jwks', 'http://[::1]/jwks'
  ]) {
    t.equal(read(url, 'production'), url)
  }
  t.equal(read('http://keys.example/jwks', 'development'), 'http://keys.example/jwks')
})

t.test('a clock tolerance is a whole number of seconds', async t => {
  t.equal(readConfig(schema, { ...good, JWT_CLOCK_TOLERANCE: '0' }).JWT_CLOCK_TOLERANCE, 0)
  for (const value of ['-1', '1.5', '301', 'ten']) {
    t.throws(() => readConfig(schema, { ...good, JWT_CLOCK_TOLERANCE: value }), { message: /JWT_CLOCK_TOLERANCE/ })
  }
})
