import { eventIdOf, formatEventId, isNewer, ZERO, type EventId } from '@tidings/job-events'
import type { Frame } from '../../services/realtime-gateway/src/session/frame.ts'
import type { Grant, Session } from '../../services/realtime-gateway/src/session/session.ts'
import type { Sessions } from '../../services/realtime-gateway/src/session/sessions.ts'
import type { Transport } from '../../services/realtime-gateway/src/session/transport.ts'
import type { StreamTail } from '../../services/realtime-gateway/src/stream/stream-tail.ts'
import type { RedisStore } from './redis-store.ts'
import type { Connection, Process, Simulation } from './simulation.ts'
import { runAs } from './virtual-time.ts'

export type Gateway = { process: Process, sessions: Sessions, tail: StreamTail }

type RoamingClientOptions = {
  simulation: Simulation
  store: RedisStore
  user: string
  name: string
  gateways: Gateway[]
  /** Whether a session may report that it did not recover. */
  mayLose: boolean
}

type Line = { gateway: Gateway, session: Session | undefined, frames: Connection }

/** A client that keeps its position, and checks what it receives: each event is the next one of its user. */
export class RoamingClient {
  readonly #options: RoamingClientOptions
  readonly #process: Process
  readonly #dialing: Connection
  #line: Line | undefined
  /** The last event that it received, or the position that `session` named. */
  #position: EventId | undefined
  #isGreeted = false

  constructor (options: RoamingClientOptions) {
    this.#options = options
    this.#process = options.simulation.spawn(options.name, () => {})
    this.#dialing = options.simulation.connect(this.#process, 'dialing')
    this.#dial()
  }

  get isUpToDate (): boolean {
    const last = this.#published.at(-1)
    return this.#isGreeted && (!last || !isNewer(last, this.#position ?? ZERO))
  }

  get #published (): EventId[] {
    return this.#options.store.published.filter(({ owner }) => owner === this.#options.user).map(({ id }) => id)
  }

  /** The client goes away, and comes back. */
  leave (): void {
    const line = this.#line
    if (!line) return
    const { simulation } = this.#options
    simulation.note(`${this.#process.name} leaves`)
    line.frames.cut(simulation.random)
    this.#hangUp(line)
    if (line.gateway.process.isAlive) runAs(line.gateway.process, () => line.session?.closed())
  }

  /** A gateway has crashed; frames that are on their way may arrive. */
  lost (gateway: Gateway): void {
    const line = this.#line
    if (line && line.gateway.process === gateway.process) this.#hangUp(line)
  }

  #hangUp (line: Line) {
    if (this.#line !== line) return
    this.#line = undefined
    this.#isGreeted = false
    this.#dial()
  }

  #dial () {
    this.#dialing.call('connects', () => {
      const { random } = this.#options.simulation
      const gateway = random.pick(this.#options.gateways)
      if (gateway.tail.hasStarted && random.chance(0.8)) this.#open(gateway)
      else this.#dial()
    }).catch(() => {})
  }

  #open (gateway: Gateway) {
    const { simulation, user } = this.#options
    const { process, sessions } = gateway
    const frames = simulation.connect(process, `→ ${this.#process.name}`)
    const line: Line = { gateway: { ...gateway }, session: undefined, frames }
    this.#line = line
    let unsent = 0
    const send = (label: string, arrive: () => void) => {
      unsent++
      frames.call(label, () => {
        unsent--
        if (this.#line === line) arrive()
      }).catch(() => {})
    }
    const transport: Transport = {
      kind: 'websocket',
      write: frame => send(`${frame.event} ${frame.eventId ?? ''}`, () => this.#receive(frame)),
      get unsentBytes () { return 0 },
      get unsentPackets () { return unsent },
      close: () => send('close', () => this.#hangUp(line)),
      terminate: () => {
        frames.cut(simulation.random)
        this.#hangUp(line)
      }
    }
    const grant = {
      identity: { userId: user, expiresAt: Infinity }, userId: user, token: '', release: () => {}
    } as unknown as Grant
    const since = this.#position && formatEventId(this.#position)
    simulation.note(`${this.#process.name} is at ${process.name} with ${since}`)
    line.session = runAs(process, () => {
      const session = sessions.open(transport, grant)
      sessions.begin(session, since).catch((err: Error) => simulation.violate(String(err)))
      return session
    })
  }

  #receive ({ event, json, eventId }: Frame) {
    if (event === 'session') this.#greeted(JSON.parse(json) as { recovered: boolean, lastEventId: string })
    else if (event.startsWith('job:')) this.#take(eventIdOf(eventId as string))
  }

  #greeted ({ recovered, lastEventId }: { recovered: boolean, lastEventId: string }) {
    const { simulation, mayLose } = this.#options
    const from = this.#position
    const to = eventIdOf(lastEventId)
    this.#isGreeted = true
    if (recovered && !from) simulation.violate(`${this.#process.name} recovered without a position`)
    if (!recovered && from && !mayLose) simulation.violate(`${this.#process.name} did not recover, but nothing was lost`)
    const missed = recovered && this.#published.find(id => isNewer(id, from ?? ZERO) && !isNewer(id, to))
    if (missed) {
      simulation.violate(`${this.#process.name} recovered to ${lastEventId} without ${formatEventId(missed)}`)
    }
    if (!recovered || isNewer(to, from ?? ZERO)) this.#position = to
  }

  #take (id: EventId) {
    const { simulation } = this.#options
    const at = this.#position ?? simulation.violate(`${this.#process.name} received an event before its session`)
    const next = this.#published.find(published => isNewer(published, at))
    if (!next || formatEventId(next) !== formatEventId(id)) {
      const expected = next && formatEventId(next)
      simulation.violate(`${this.#process.name} received ${formatEventId(id)} after ${formatEventId(at)}, not ${expected}`)
    }
    this.#position = id
  }
}
