import { receive } from '../drive/arrivals.ts'
import type { Received } from '../drive/arrivals.ts'
import { interleave } from '../drive/interleave.ts'
import { loadOf } from '../drive/load-column.ts'
import { rates } from '../figures/rates.ts'
import type { Goal, Row } from '../figures/row.ts'
import type { FedSocketIoCommands } from '../limits/fed-socket-io.ts'
import type { FanOutCommands } from '../limits/raw-ws.ts'
import { startLoad } from '../load/start-load.ts'
import type { Load } from '../load/start-load.ts'
import { startAlone } from '../stage/alone.ts'
import type { AloneService } from '../stage/alone.ts'
import type { Stage } from '../stage/stage.ts'
import type { Scenario } from './scenario.ts'

const REDIS_DATABASE = 2
const FED_DATABASE = 9
/** What the peers emit in a turn of their loop, which makes the frames a tick. The gateway, while it is behind, takes up to 5,000 events at once. */
const PER_TURN = 500

interface Shape {
  what: string
  users: number
  socketsPerUser: number
  events: number
  /** Events under way at the peers. */
  window: number
  goals: { ws?: Goal, 'socket.io'?: Goal }
}

const SHAPES: Shape[] = [
  { what: 'a room of 2,000', users: 1, socketsPerUser: 2_000, events: 30, window: 10, goals: { ws: { of: 'limit', atLeast: 0.7 } } },
  { what: '200 users, 2.5 frames a tick', users: 200, socketsPerUser: 1, events: 60_000, window: 10_000, goals: { 'socket.io': { of: 'peer', atLeast: 1.5 } } },
  { what: '2,000 users, 0.25 frames a tick', users: 2_000, socketsPerUser: 1, events: 60_000, window: 10_000, goals: { 'socket.io': { of: 'peer', atLeast: 1 } } }
]

interface Servers {
  Tidings: AloneService
  ws: Emitter
  'socket.io': Emitter
  fed: Reader
}
interface Emitter { load: Load<FanOutCommands>, origin: string }
/** What reads the stream, and can be frozen while a backlog is laid out in it. */
interface Reader { origin: string, redisUrl: string, pid: number, pause: () => void, resume: () => void }

/**
 * A backlog of one gateway, drained to its sockets; beside a Socket.IO server
 * that drains the same, and servers that emit in their own loop and read nothing.
 */
export const fanOut: Scenario = {
  name: 'fan-out',
  title: '4 fan-out to sockets',
  run: async stage => {
    const gateway = await startAlone(stage, { name: 'realtime-gateway', redisDatabase: REDIS_DATABASE })
    const fedUrl = new URL(`/${FED_DATABASE}`, gateway.redisUrl).href
    const fed = await startLoad<FedSocketIoCommands>('fed-socket-io', new URL('../limits/fed-socket-io.ts', import.meta.url))
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
      const measured = await measure(stage, servers, shape)
      rows.push(...measured.rows)
      broken.push(...measured.broken)
    }
    await Promise.all([gateway.stop(), fed.stop(), servers.ws.load.stop(), servers['socket.io'].load.stop()])
    return { rows, broken }
  }
}

async function measure (stage: Stage, servers: Servers, shape: Shape) {
  const { sockets } = stage.loads
  stage.progress.say(`fan-out: seating ${shape.what}`)
  const users = Array.from({ length: shape.users }, (_, index) => index + 1).flatMap(user => Array.from({ length: shape.socketsPerUser }, () => user))
  await sockets.ask('open', { name: 'Tidings', url: servers.Tidings.origin, protocol: 'tidings', tokens: users.map(servers.Tidings.token) })
  await sockets.ask('open', { name: 'ws', url: servers.ws.origin, protocol: 'ws', tokens: users.map(String) })
  await sockets.ask('open', { name: 'socket.io', url: servers['socket.io'].origin, protocol: 'socket.io', tokens: users.map(String) })
  await sockets.ask('open', { name: 'fed', url: servers.fed.origin, protocol: 'socket.io', tokens: users.map(String) })
  const cells = {
    Tidings: () => drain(stage, servers.Tidings, shape),
    fed: () => drain(stage, servers.fed, shape),
    ws: () => emit(stage, servers.ws, shape),
    'socket.io': () => emit(stage, servers['socket.io'], shape)
  }
  for (const cell of Object.values(cells)) await cell()
  const { Tidings, fed, ws, 'socket.io': socketIo } = await interleave(stage, { title: `fan-out to ${shape.what}`, cells })
  for (const name of Object.keys(cells)) await sockets.ask('close', name)

  const row = { scenario: '4', what: shape.what, unit: 'frames/s', ours: rates(Tidings), ...loadOf(Tidings) }
  return {
    rows: [
      { ...row, limit: { name: 'raw ws', values: rates(ws) }, ...goal(shape.goals.ws) },
      { ...row, peer: { name: 'plain Socket.IO', values: rates(socketIo) }, ...goal(shape.goals['socket.io']) },
      { ...row, peer: { name: 'Socket.IO fed by the stream', values: rates(fed) } }
    ],
    broken: Tidings.filter(({ lost, doubled }) => lost + doubled > 0).map(({ lost, doubled }) => `fan-out to ${shape.what}: ${lost} frames lost, ${doubled} doubled`)
  }
}

async function drain (stage: Stage, reader: Reader, { users, socketsPerUser, events }: Shape): Promise<Received> {
  const run = stage.nextRun()
  reader.pause()
  await stage.loads.relay.ask('connect', reader.redisUrl)
  await stage.loads.relay.ask('append', { run, events, users })
  return await receive(stage, {
    at: stage.loads.sockets,
    expected: { run, events, jobs: users, copies: socketsPerUser },
    send: () => reader.resume(),
    watched: [{ name: 'reader', pid: reader.pid, isLoad: false }]
  })
}

async function emit (stage: Stage, { load }: Emitter, { users, socketsPerUser, events, window }: Shape): Promise<Received> {
  const run = stage.nextRun()
  return await receive(stage, {
    at: stage.loads.sockets,
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
