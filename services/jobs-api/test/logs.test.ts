import t from 'tap'
import { signRefreshToken } from '@tidings/contracts'
import { TEST_SECRET, tokenOf, until } from '@tidings/testing'
import { startReplica } from './replica.ts'
import { startServers } from './setup.ts'

t.test('LOG_LEVEL=debug shows requests and the events of jobs, and no secret', async t => {
  const { env } = await startServers(t)
  const { url, output } = await startReplica(t, { ...env, LOG_LEVEL: 'debug' })
  const [token, refreshToken] = [
    tokenOf(7), signRefreshToken({ userId: '7', secret: `${TEST_SECRET}, refreshed`, expiresInMs: 60_000 })
  ]
  const post = async (path: string, body: object, headers = {}) =>
    await fetch(url + path, {
      method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body)
    })
  const lines = () => output().split('\n').slice(0, -1).map(line => JSON.parse(line) as Record<string, unknown>)

  const submitted = await post('/submit-job', { name: 'x' }, {
    authorization: `Bearer ${token}`, 'x-request-id': 'of-a-client'
  })
  const { jobId } = await submitted.json() as { jobId: string }
  const refreshed = await (await post('/auth/refresh', { refreshToken })).json() as Record<string, string>
  await fetch(`${url}/jobs`, { headers: { authorization: 'Bearer good.for.nothing' } })

  await until(() => lines().filter(line => line.msg === 'relay: queue event' && line.jobId === jobId).length === 2)
  await until(() => lines().some(line => line.msg === 'authentication refused' && line.code === 'token_invalid'))
  const published = lines().filter(line => line.msg === 'relay: queue event')
  t.match(
    published, [{ queue: 'default', event: 'added', userId: '7' }, { queue: 'default', event: 'waiting', userId: '7' }]
  )
  t.ok(
    lines().some(line => line.msg === 'authenticated' && line.userId === '7' && line.reqId === 'of-a-client'),
    'with the id of the client\'s request'
  )
  for (const secret of [
    token, refreshToken, refreshed.token, refreshed.refreshToken, TEST_SECRET, 'good.for.nothing'
  ]) {
    t.notOk(output().includes(secret as string))
  }
})
