import { freePort, startRedis } from '@tidings/testing'
import t from 'tap'
import { connect } from '../src/connect.ts'

t.test('waits for a Redis that starts late, and reports it once', async t => {
  const redis = await startRedis(t)
  await redis.stop()
  const said = t.capture(console, 'error')

  const connecting = connect(redis.url, 30)
  await redis.restart()
  const connection = await connecting
  t.teardown(() => connection.disconnect())

  t.equal(await connection.ping(), 'PONG')
  const lines = said().map(({ args }) => args[0])
  t.equal(lines.filter(line => / is away /.test(line)).length, 1)
  t.match(lines.at(-1), `Redis at 127.0.0.1:${redis.port} is back`)
})

t.test('gives up on a Redis that does not start', async t => {
  t.capture(console, 'error')
  const port = await freePort()
  await t.rejects(connect(`redis://127.0.0.1:${port}`, 1), {
    message: `Redis at 127.0.0.1:${port}: no answer within 1 s`
  })
})

t.test('does not retry when Redis refuses the credentials, and does not print the password', async t => {
  const redis = await startRedis(t)
  await redis.client().config('SET', 'requirepass', 'right')
  const said = t.capture(console, 'error')
  const error: Error = await connect(`redis://:wrong@127.0.0.1:${redis.port}`, 30).then(
    () => new Error('connected'),
    error => error
  )
  t.match(error.message, /^Redis at 127.0.0.1:\d+: (WRONGPASS|NOAUTH)/)
  t.notMatch(JSON.stringify([error.message, said()]), 'wrong@')
})
