import t from 'tap'
import { tokenOf, until } from '@tidings/testing'
import { startReplica, startSurroundings } from './setup/gateway.ts'

t.test('neither tickets nor tokens are logged', async t => {
  const { url, process } = await startReplica(t, await startSurroundings(t), { LOG_LEVEL: 'debug' })
  const token = tokenOf(1)
  const { ticket } = await (
    await fetch(`${url}/auth/ticket`, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
  ).json() as { ticket: string }
  const abort = new AbortController()
  t.equal((await fetch(`${url}/events?lastEventId=1-0&ticket=${ticket}`, { signal: abort.signal })).status, 200)
  abort.abort()
  t.equal(
    (await fetch(`${url}/ws?ticket=${ticket}`, { headers: { 'sec-websocket-protocol': `bearer.${token}` } })).status,
    426
  )
  for (const path of ['/events', '/jobs/1/stream', '/ws']) {
    for (const name of ['token', 'access_token', 'authorization']) {
      const { status } = await fetch(`${url}${path}?${name}=${token}`, { headers: { 'last-event-id': '1-0' } })
      t.ok([400, 401, 426].includes(status), `${path}?${name}: ${status}: a URL is no place for a token`)
    }
  }
  await until(() => process.output().includes('"url":"/ws?ticket=[redacted]"'))
  t.match(process.output(), '"url":"/events?lastEventId=1-0&ticket=[redacted]"')
  t.notMatch(process.output(), ticket)
  t.notMatch(process.output(), token)
})
