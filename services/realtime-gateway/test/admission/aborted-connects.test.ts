import { get } from 'node:http'
import t from 'tap'
import WebSocket from 'ws'
import { userSessionsKey } from '@tidings/contracts'
import { tokenOf, until } from '@tidings/testing'
import { startGateway, startSurroundings } from '../setup/gateway.ts'
import { watchAdmissions } from '../setup/watch-admissions.ts'

const CLIENTS = 10

const surroundings = await startSurroundings(t)
const { redis, jobs } = surroundings
const { app, url } = await startGateway(t, surroundings)

type Ask = (headers: Record<string, string>, jobId: string) => { emitter: NodeJS.EventEmitter, leave: () => void }

const asking = (path: (jobId: string) => string): Ask => (headers, jobId) => {
  const request = get(
    `${url}${path(encodeURIComponent(jobId))}`, { headers, agent: false }, response => response.resume()
  )
  return { emitter: request, leave: () => request.destroy() }
}
const asks: Record<string, Ask> = {
  'GET /events': asking(() => '/events'),
  'GET /jobs/:jobId/stream': asking(jobId => `/jobs/${jobId}/stream`),
  '/ws': headers => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers })
    return { emitter: socket, leave: () => socket.terminate() }
  },
  'Socket.IO': headers => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, { headers })
    socket.once('open', () => socket.send('40'))
    return { emitter: socket, leave: () => socket.terminate() }
  }
}

for (const [name, ask] of Object.entries(asks)) {
  t.test(`${name}: clients that disconnect during their admission leave no session behind`, async t => {
    const userId = `early-${name}`
    const admissions = watchAdmissions(t, app)
    await jobs.publish({ userId, jobId: `early-${name}`, progress: 1 })

    redis.pause() // so that their admission waits
    const clients = Array.from(
      { length: CLIENTS }, () => ask({ authorization: `Bearer ${tokenOf(userId)}` }, `early-${name}`)
    )
    for (const { emitter } of clients) emitter.on('error', () => {})
    await until(() => admissions.length === CLIENTS)
    await Promise.all(clients.map(({ emitter, leave }) => new Promise(resolve => {
      emitter.once('close', resolve)
      leave()
    })))
    redis.resume()

    await Promise.all(admissions)
    const isStored = async () => await redis.client().exists(userSessionsKey(userId)) === 1
    await until(async () => !await isStored() && app.hub.sessionsOf(userId) === undefined, {
      what: 'all sessions to be released'
    })
    t.equal(admissions.length, CLIENTS)
  })
}
