import { get } from 'node:http'
import { connect as connectTcp } from 'node:net'
import fp from 'fastify-plugin'
import t from 'tap'
import WebSocket from 'ws'
import { closeAtManyMoments, TEST_SECRET, tokenOf, until, type TestContext } from '@tidings/testing'
import { buildApp } from '../src/app.ts'
import { loadConfig } from '../src/config.ts'
import { connect } from './setup/transports.ts'
import { startGateway, startSurroundings } from './setup/gateway.ts'
import { watchAdmissions } from './setup/watch-admissions.ts'

t.test('it can be closed at any moment of its start', async t => {
  const { redis, jobs } = await startSurroundings(t)
  await closeAtManyMoments(t, () => buildApp(loadConfig({
    LOG_LEVEL: 'fatal',
    TOKEN_SECRET: TEST_SECRET,
    REDIS_URL: redis.url,
    JOBS_API_URL: jobs.url,
    REALTIME_DRAIN_MS: '10'
  })))
})

t.test('clients whose admission is pending when the close starts are disconnected', async t => {
  const surroundings = await startSurroundings(t)
  const { redis } = surroundings
  const { app, url } = await startGateway(t, surroundings)
  const client = await connect.websocket(t, url, { token: tokenOf('early') })
  const admissions = watchAdmissions(t, app)

  redis.pause() // so that their admission waits until the drain has started
  const gone = [
    goneFrom(t, `${url}/ws`),
    goneFrom(t, `${url}/socket.io/?EIO=4&transport=websocket`, '40'),
    new Promise(resolve => {
      get(
        `${url}/events`,
        { headers: { authorization: `Bearer ${tokenOf('late')}` }, agent: false },
        response => response.resume()
      )
        .once('close', resolve).on('error', () => {})
    })
  ]
  await until(() => admissions.length === gone.length)
  const closed = app.close()
  await client.waitFor('server:draining')
  redis.resume()
  await Promise.all([...gone, closed])
  t.same(app.hub.sessions, [])
})

t.test('an upgrade that Fastify answers without its hooks leaves no socket behind', async t => {
  const { port } = await startGateway(t, await startSurroundings(t))
  const socket = connectTcp(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  const answer = new Promise<string>(resolve => { socket.once('data', data => resolve(data.toString())) })
  const closed = new Promise(resolve => { socket.once('close', resolve) })
  socket.write('GET /ws%zz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  t.match(await answer, /^HTTP\/1.1 400 /)
  socket.end() // the server closes its side too; otherwise this client would wait forever
  await closed
})

t.test('the close does not wait for a connection of Socket.IO without a session', async t => {
  const { app, url } = await startGateway(t, await startSurroundings(t))
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
  t.teardown(() => socket.terminate())
  const gone = new Promise(resolve => { socket.once('close', resolve) })
  await new Promise(resolve => { socket.once('message', resolve) })
  await Promise.all([app.close(), gone])
})

t.test('while it closes it admits no new session, and operators see the drain', async t => {
  const asked = Promise.withResolvers<void>()
  // Registered last: it delays the close after the sessions are drained.
  const { app, url } = await startGateway(t, await startSurroundings(t), {}, app => app.register(fp(async app => {
    app.addHook('preClose', () => asked.promise)
  })))
  t.teardown(asked.resolve)
  const client = await connect.websocket(t, url, { token: tokenOf(1) })
  const closed = app.close()
  t.same(await client.waitForEnd(), { reason: 'draining', reconnect: true })

  const answer = await fetch(`${url}/events`, { headers: { authorization: `Bearer ${tokenOf(1)}` } })
  t.equal(answer.status, 503)
  t.ok(answer.headers.get('retry-after'))
  t.match(await answer.json(), { type: 'urn:tidings:problem:not-ready' })
  await t.rejects(connect.websocket(t, url, { token: tokenOf(1) }), { code: '503' })
  await t.rejects(connect['socket.io'](t, url, { token: tokenOf(1) }), { code: 'connection' })
  t.same(await (await fetch(`${url}/readyz`)).json(), { status: 'closing' })
  t.match(
    await (await fetch(`${url}/metrics`)).text(),
    /tidings_realtime_session_ends_total\{transport="websocket",reason="draining"\} 1/
  )
  asked.resolve()
  await closed
})

/** Resolves when a WebSocket client is disconnected, admitted or not. */
function goneFrom (t: TestContext, url: string, greeting?: string): Promise<unknown> {
  const socket = new WebSocket(url.replace('http', 'ws'), { headers: { authorization: `Bearer ${tokenOf('late')}` } })
  t.teardown(() => socket.terminate())
  if (greeting !== undefined) socket.once('open', () => socket.send(greeting))
  socket.on('error', () => {})
  return new Promise(resolve => { socket.once('close', resolve) })
}
