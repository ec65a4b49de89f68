import { receive } from '../workload/receive.ts'
import { busiestLoad } from '../fixture/cpu-shares.ts'
import type { Received } from '../workload/receive.ts'
import { interleave } from '../workload/interleave.ts'
import { rates } from '../figures/rates.ts'
import type { Goal, Row } from '../figures/row.ts'
import type { FedSocketIoCommands } from '../limits/fed-socket-io.ts'
import type { FanOutCommands } from '../limits/raw-ws.ts'
import { startLoad } from '../load/start-load.ts'
import type { Load } from '../load/start-load.ts'
import { startStandalone } from '../fixture/standalone.ts'
import type { StandaloneService } from '../fixture/standalone.ts'
import type { Fixture } from '../fixture/fixture.ts'
import type { Scenario } from './scenario.ts'

const REDIS_DATABASE = 2
const FED_DATABASE = 9
/**
 * Events that the peers emit per turn of their loop; it determines the frames per tick. A gateway that is behind reads
 * up to 5,000 events at once.
 */
const PER_TURN = 500

interface Shape {
  what: string
  users: number
  socketsPerUser: number
  events: number
  /** Events in flight at the peers. */
  window: number
  goals: { ws?: Goal, 'socket.io'?: Goal }
}

const SHAPES: Shape[] = [
  {
    what: 'a room of 2,000',
    users: 1,
    socketsPerUser: 2_000,
    events: 30,
    window: 10,
    goals: { ws: { of: 'limit', atLeast: 0.7 } }
  },
  {
    what: '200 users, 2.5 frames a tick',
    users: 200,
    socketsPerUser: 1,
    events: 60_000,
    window: 10_000,
    goals: { 'socket.io': { of: 'peer', atLeast: 1.5 } }
  },
  {
    what: '2,000 users, 0.25 frames a tick',
    users: 2_000,
    socketsPerUser: 1,
    events: 60_000,
    window: 10_000,
    goals: { 'socket.io': { of: 'peer', atLeast: 1 } }
  }
]

interface Servers {
  Tidings: StandaloneService
  ws: Emitter
  'socket.io': Emitter
  fed: Reader
}
interface Emitter { load: Load<FanOutCommands>, origin: string }
/** A process that reads the stream, and can be frozen while a backlog builds up in it. */
interface Reader { origin: string, redisUrl: string, pid: number, pause: () => void, resume: () => void }

/**
 * Drains the backlog of one gateway to its sockets; compares it with a Socket.IO server that drains the same stream,
 * and with servers that emit in their own loop and read nothing.
 */
export const fanOut: Scenario = {
  name: 'fan-out',
  title: '4 fan-out to sockets',
  run: async fixture => {
    const gateway = await startStandalone(fixture, { name: 'realtime-gateway', redisDatabase: REDIS_DATABASE })
    const fedUrl = new URL(`/${FED_DATABASE}`, gateway.redisUrl).href
    const fedEntry = new URL('../limits/fed-socket-io.ts', import.meta.url)
    const fed = await startLoad<FedSocketIoCommands>('fed-socket-io', fedEntry)
    const servers: Servers = {
      Tidings: gateway,
      ws: await startEmitter('raw-ws'),
      'socket.io': await startEmitter('plain-socket-io'),
      fed: {
        origin: await fed.ask('listen', fedUrl),
        redisUrl: fedUrl,
        pid: fed.pid,
        pause: () => { process.kill(fed.pid, 'SIGSTOP') },
        resume: () => { process.kill(fed.pid, 'SIGCONT') }
      }
    }
    const rows: Row[] = []
    const broken: string[] = []
    for (const shape of SHAPES) {
      const measured = await measure(fixture, servers, shape)
      rows.push(...measured.rows)
      broken.push(...measured.broken)
    }
    await Promise.all([gateway.stop(), fed.stop(), servers.ws.load.stop(), servers['socket.io'].load.stop()])
    return { rows, broken }
  }
}

async function measure (fixture: Fixture, servers: Servers, shape: Shape) {
  const { sockets } = fixture.loads
  fixture.progress.status(`fan-out: connecting the sockets of ${shape.what}`)
  const users = Array.from(
    { length: shape.users * shape.socketsPerUser },
    (_, i) => Math.floor(i / shape.socketsPerUser) + 1
  )
  const tokens = users.map(String)
  const own = { url: servers.Tidings.origin, tokens: users.map(servers.Tidings.token) }
  await sockets.ask('open', { name: 'Tidings', protocol: 'tidings', ...own })
  await sockets.ask('open', { name: 'ws', protocol: 'ws', url: servers.ws.origin, tokens })
  await sockets.ask('open', { name: 'socket.io', protocol: 'socket.io', url: servers['socket.io'].origin, tokens })
  await sockets.ask('open', { name: 'fed', protocol: 'socket.io', url: servers.fed.origin, tokens })
  const cells = {
    Tidings: () => drain(fixture, servers.Tidings, shape),
    fed: () => drain(fixture, servers.fed, shape),
    ws: () => emit(fixture, servers.ws, shape),
    'socket.io': () => emit(fixture, servers['socket.io'], shape)
  }
  for (const cell of Object.values(cells)) await cell()
  const title = `fan-out to ${shape.what}`
  const { Tidings, fed, ws, 'socket.io': socketIo } = await interleave(fixture, { title, cells })
  for (const name of Object.keys(cells)) await sockets.ask('close', name)

  const row = { scenario: '4', what: shape.what, unit: 'frames/s', ours: rates(Tidings), ...busiestLoad(Tidings) }
  return {
    rows: [
      { ...row, limit: { name: 'raw ws', values: rates(ws) }, ...goal(shape.goals.ws) },
      { ...row, peer: { name: 'plain Socket.IO', values: rates(socketIo) }, ...goal(shape.goals['socket.io']) },
      { ...row, peer: { name: 'Socket.IO fed by the stream', values: rates(fed) } }
    ],
    broken: Tidings
      .filter(({ lost, doubled }) => lost + doubled > 0)
      .map(({ lost, doubled }) => `${title}: ${lost} frames lost, ${doubled} doubled`)
  }
}

async function drain (fixture: Fixture, reader: Reader, { users, socketsPerUser, events }: Shape): Promise<Received> {
  const run = fixture.nextRun()
  reader.pause()
  await fixture.loads.relay.ask('connect', reader.redisUrl)
  await fixture.loads.relay.ask('append', { run, events, users })
  return await receive(fixture, {
    at: fixture.loads.sockets,
    expected: { run, events, jobs: users, copies: socketsPerUser },
    send: () => reader.resume(),
    watched: [{ name: 'reader', pid: reader.pid, isLoad: false }]
  })
}

async function emit (
  fixture: Fixture,
  { load }: Emitter,
  { users, socketsPerUser, events, window }: Shape
): Promise<Received> {
  const run = fixture.nextRun()
  return await receive(fixture, {
    at: fixture.loads.sockets,
    expected: { run, events, jobs: users, copies: socketsPerUser },
    send: () => load.ask('emit', { run, users, events, perTurn: Math.min(PER_TURN, window), window }),
    onCount: count => { load.ask('arrived', count).catch(() => {}) },
    watched: [{ name: load.name, pid: load.pid, isLoad: false }]
  })
}

async function startEmitter (name: 'raw-ws' | 'plain-socket-io'): Promise<Emitter> {
  const load = await startLoad<FanOutCommands>(name, new URL(`../limits/${name}.ts`, import.meta.url))
  return { load, origin: await load.ask('listen') }
}

function goal (wanted: Goal | undefined): { goal?: Goal } {
  return wanted === undefined ? {} : { goal: wanted }
}
