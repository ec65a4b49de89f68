import t from 'tap'
import { tokenOf, until, type TestContext } from '@tidings/testing'
import { connect } from '../../setup/transports.ts'
import { startGateway, startSurroundings } from '../../setup/gateway.ts'

const surroundings = await startSurroundings(t)
const { jobs, redis } = surroundings
const { url, app } = await startGateway(t, surroundings, { REALTIME_MAX_SESSIONS: '2', JWT_CLOCK_TOLERANCE: '0' })
const EVENT_SOURCE = { accept: 'text/event-stream' }

let users = 0
const newUser = () => `ticket-${++users}`

async function ticketOf (token: string): Promise<string> {
  const answer = await fetch(`${url}/auth/ticket`, { method: 'POST', headers: { authorization: `Bearer ${token}` } })
  return (await answer.json() as { ticket: string }).ticket
}

/** Requests a stream; `read` resolves with all text so far once that matches. */
async function stream (t: TestContext, path: string, headers: Record<string, string> = {}) {
  const abort = new AbortController()
  t.teardown(() => abort.abort())
  const response = await fetch(`${url}${path}`, { headers, signal: abort.signal })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const read = async (wanted: RegExp) => {
    await until(async () => {
      text += (await reader?.read())?.value ?? ''
      return wanted.test(text)
    }, { what: String(wanted) })
    return text
  }
  return { status: response.status, type: response.headers.get('content-type'), read, close: () => abort.abort() }
}

const lastIdOf = (text: string) => /^id: (\S+)$/m.exec(text.slice(text.lastIndexOf('id: ')))?.[1] as string

t.test('a stream reconnects with its ticket and Last-Event-ID any number of times, and misses nothing', async t => {
  const userId = newUser()
  const ticket = await ticketOf(tokenOf(userId))
  let { read, close } = await stream(t, `/events?ticket=${ticket}`, EVENT_SOURCE)
  for (let i = 0; i < 3; i++) {
    await jobs.publish({ userId, jobId: 'a', progress: `live ${i}` })
    const lastEventId = lastIdOf(await read(new RegExp(`"live ${i}"[^]*\\n\\n`)))
    close()
    await jobs.publish({ userId, jobId: 'a', progress: `missed ${i}` });
    ({ read, close } = await stream(t, `/events?ticket=${ticket}`, { ...EVENT_SOURCE, 'last-event-id': lastEventId }))
    t.match(await read(/event: session/), `"missed ${i}"`)
  }
})

t.test('a used ticket is refused without Last-Event-ID, for another stream, or for another origin', async t => {
  const userId = newUser()
  await jobs.publish({ userId, jobId: 'a', type: 'active' })
  const ticket = await ticketOf(tokenOf(userId))
  await (await stream(t, `/events?ticket=${ticket}`)).read(/event: session/)
  const id = { 'last-event-id': '1-0' }
  t.equal((await stream(t, `/events?ticket=${ticket}`, EVENT_SOURCE)).status, 401)
  t.equal(
    (await stream(t, `/events?ticket=${ticket}&lastEventId=1-0`, EVENT_SOURCE)).status,
    401,
    'only the header proves a reconnect'
  )
  t.equal((await stream(t, `/events?ticket=${ticket}`, { 'last-event-id': 'nonsense' })).status, 401)
  t.equal((await stream(t, `/jobs/a/stream?ticket=${ticket}`, id)).status, 401)
  t.equal((await stream(t, `/events?ticket=${ticket}`, { ...id, origin: 'https://another.example' })).status, 401)
  t.equal((await stream(t, `/events?ticket=${ticket}`, id)).status, 200)
})

t.test('a ticket ends with its token: when that expires, and when its user is revoked', async t => {
  const [brief, revoked] = [newUser(), newUser()]
  const [expiring, good] = [await ticketOf(tokenOf(brief, { expiresInMs: 2500 })), await ticketOf(tokenOf(revoked))]
  const streams = [await stream(t, `/events?ticket=${expiring}`), await stream(t, `/events?ticket=${good}`)]
  for (const { read } of streams) await read(/event: session/)
  await streams[0]?.read(/session:end\ndata: {"reason":"expired","reconnect":false}/)
  app.revocations.apply(revoked, await app.revocations.revoke(revoked))
  await streams[1]?.read(/session:end\ndata: {"reason":"revoked","reconnect":false}/)
  for (const ticket of [expiring, good]) {
    t.equal((await stream(t, `/events?ticket=${ticket}`, { ...EVENT_SOURCE, 'last-event-id': '1-0' })).status, 401)
  }
})

t.test('an EventSource that cannot be served now is asked to retry, and its ticket stays unused', async t => {
  const userId = newUser()
  const others = [
    await connect.sse(t, url, { token: tokenOf(userId) }), await connect.sse(t, url, { token: tokenOf(userId) })
  ]
  const ticket = await ticketOf(tokenOf(userId))
  t.equal((await stream(t, `/events?ticket=${ticket}`)).status, 429, 'others get the status')
  const refused = await stream(t, `/events?ticket=${ticket}`, EVENT_SOURCE)
  t.match([refused.status, refused.type], [200, /^text\/event-stream/])
  t.match(
    await refused.read(/\n\n/),
    /^retry: 30000\nevent: session:end\ndata: {"reason":"unavailable","reconnect":true}\n\n$/
  )
  for (const other of others) other.close()
  await until(() => app.hub.sessionsOf(userId) === undefined)
  t.match(await (await stream(t, `/events?ticket=${ticket}`, EVENT_SOURCE)).read(/event: session/), /event: session\n/)

  redis.pause()
  const away = await stream(t, `/events?ticket=${ticket}`, { ...EVENT_SOURCE, 'last-event-id': '1-0' })
  t.match(await away.read(/\n\n/), /^retry: 3000\n/)
  redis.resume()
  const unknown = await stream(t, '/events?ticket=nonsense', EVENT_SOURCE)
  t.equal(unknown.status, 401, 'a final refusal ends it')
  t.match(await unknown.read(/\}$/), '"detail":"The ticket is unknown, expired, or was used', 'not a missing token')
  t.equal(
    (await stream(t, '/jobs/nothing/stream', { ...EVENT_SOURCE, authorization: `Bearer ${tokenOf(userId)}` })).status,
    404
  )
})
