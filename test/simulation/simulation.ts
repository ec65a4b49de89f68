import { seededRandom, type Random } from './random.ts'
import { runAs, VirtualTime, type Owner } from './virtual-time.ts'

/** A process of the simulated system. Everything it awaits is a reply of a store, or a timer. */
export type Process = Owner & { readonly name: string }

/** Runs one schedule, and reports a violation where an invariant does not hold. */
export type Scenario = (simulation: Simulation) => Promise<void>

/** A request on its way to a store, or its reply on the way back. */
type Request = {
  label: string
  /** Whether it can be executed; a blocked read waits. */
  isReady: () => boolean
  /** The virtual time at which it is ready in any case. */
  readyAt: number
  execute: () => unknown
  reply: ((how: 'resolve' | 'reject', value: unknown) => void) | undefined
  outcome?: { how: 'resolve' | 'reject', value: unknown }
}

export type CallOptions = { isReady?: () => boolean, readyAt?: number }

/** The invariant that a schedule violates. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

/** What a client gets whose connection was cut: the request may have been executed or not. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
  readonly code = 'CONNECTION_CLOSED'
}

/** Chance that a step is a fault, that it is a timer although requests are ready, and that a reply takes a step. */
const CHANCES = { fault: 0.03, timer: 0.05, slowReply: 0.5 }
const MAX_STEPS = 6000

/**
 * One schedule of a distributed system: which request, reply, timer or fault comes next is drawn from a seed. Between
 * two steps all processes run until they wait for a reply or a timer, so a schedule is the same each time.
 */
export class Simulation {
  readonly random: Random
  readonly time = new VirtualTime()
  readonly trace: string[] = []
  readonly #connections: Connection[] = []
  #steps = 0
  #violation: Violation | undefined

  constructor (seed: number) {
    this.random = seededRandom(seed)
  }

  /** Starts a process; its `main` runs until its first await at once. */
  spawn (name: string, main: (process: Process) => unknown): Process {
    const process: Process = { name, isAlive: true, isFrozen: false }
    this.note(`${name} starts`)
    runAs(process, () => main(process))
    return process
  }

  /** Ends a process at once. Its requests are under way: each may be executed still. */
  crash (process: Process): void {
    this.note(`${process.name} crashes`)
    process.isAlive = false
    for (const connection of this.#connections.filter(({ owner }) => owner === process)) connection.orphan(this.random)
  }

  /** A connection to a store: its requests are executed in their order. */
  connect (owner: Process, name: string): Connection {
    const connection = new Connection(owner, `${owner.name} ${name}`)
    this.#connections.push(connection)
    return connection
  }

  /** Stops a process for a while (SIGSTOP): what it has sent is executed, but it gets no reply and no timer. */
  freeze (process: Process, ms: number): void {
    if (process.isFrozen) return
    this.note(`${process.name} freezes for ${ms} ms`)
    process.isFrozen = true
    this.time.set(ms, () => {
      this.note(`${process.name} goes on`)
      process.isFrozen = false
    })
  }

  /** Runs a scenario on the clock of this simulation. */
  async run (scenario: Scenario): Promise<void> {
    await this.time.during(() => scenario(this), this.random.next)
  }

  /** The connection is not used any more. */
  disconnect (connection: Connection): void {
    const at = this.#connections.indexOf(connection)
    if (at !== -1) this.#connections.splice(at, 1)
  }

  /** Makes steps until `isDone`; meanwhile faults strike, `most` of them at most. */
  async steps (isDone: () => boolean, faults: (() => void)[] = [], most = Infinity): Promise<void> {
    const end = this.#steps + MAX_STEPS
    let struck = 0
    await VirtualTime.settle()
    while (!isDone()) {
      if (++this.#steps > end) this.violate(`it does not come to an end:\n${this.#waiting()}`)
      if (faults.length > 0 && struck < most && this.random.chance(CHANCES.fault)) {
        struck++
        this.random.pick(faults)()
      } else {
        this.#step()
      }
      await VirtualTime.settle()
      if (this.#violation) throw this.#violation
    }
  }

  #step (): void {
    const ready = this.#connections.filter(connection => connection.isReady(this.time.now))
    if (ready.length === 0 || this.random.chance(CHANCES.timer)) return this.#advance()
    const connection = this.random.pick(ready)
    this.note(connection.step(this.random))
    if (connection.isOver) this.disconnect(connection)
  }

  /** To the next timer, or to the end of a blocked read. */
  #advance (): void {
    const { now } = this.time
    const readyAt = Math.min(...this.#connections.map(({ readyAt }) => readyAt).filter(at => at > now), Infinity)
    if (this.time.nextAt <= readyAt && this.time.nextAt < Infinity) this.time.fireNext()
    else if (readyAt < Infinity) this.time.now = readyAt
  }

  #waiting (): string {
    return this.#connections.flatMap(({ name, labels }) => labels.map(label => `${name}: ${label}`)).join('\n')
  }

  note (line: string): void {
    this.trace.push(`${this.time.now % 10_000_000} ${line}`)
  }

  /** Reports a violated invariant, from wherever it is seen. */
  violate (message: string): never {
    this.#violation ??= new Violation(message)
    throw this.#violation
  }
}

export class Connection {
  readonly owner: Process
  readonly name: string
  #requests: Request[] = []

  constructor (owner: Process, name: string) {
    this.owner = owner
    this.name = name
  }

  /** Sends a request: `execute` runs as one step of the store, some time later. */
  call<T> (label: string, execute: () => T, options: CallOptions = {}): Promise<T> {
    const { isReady = () => true, readyAt = Infinity } = options
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#requests.push({
      label,
      isReady,
      readyAt,
      execute,
      reply: (how, value) => how === 'resolve' ? resolve(value as T) : reject(value as Error)
    })
    return promise
  }

  /**
   * Cuts the connection: each request may have been executed or not. They fail, or are sent once more over the next
   * connection, as ioredis does.
   */
  cut (random: Random, { resends = false } = {}): void {
    let isLost = false
    for (const request of this.#requests.splice(0)) {
      isLost ||= random.chance(0.5) || !request.isReady()
      if (!isLost && !request.outcome) attempt(request)
      delete request.outcome
      if (resends) this.#requests.push(request)
      else if (this.owner.isAlive) request.reply?.('reject', new ConnectionLost('The connection was closed'))
    }
  }

  /** Nobody waits for replies any more; some of the requests are lost. */
  orphan (random: Random): void {
    const kept = random.below(this.#requests.length + 1)
    this.#requests = this.#requests.slice(0, kept).filter(request => !request.outcome && request.isReady())
    for (const request of this.#requests) request.reply = undefined
  }

  get isOver (): boolean {
    return !this.owner.isAlive && this.#requests.length === 0
  }

  get readyAt (): number {
    return this.#requests[0]?.readyAt ?? Infinity
  }

  get labels (): string[] {
    return this.#requests.map(({ label, outcome }) => outcome ? `${label} (reply)` : label)
  }

  isReady (now: number): boolean {
    const [first] = this.#requests
    if (!first) return false
    return first.outcome === undefined ? first.isReady() || first.readyAt <= now : !this.owner.isFrozen
  }

  /** Executes the first request, or delivers its reply; returns what happened. */
  step (random: Random): string {
    const request = this.#requests[0] as Request
    const isReply = request.outcome !== undefined
    if (!isReply) attempt(request)
    if (!isReply && request.reply && (this.owner.isFrozen || random.chance(CHANCES.slowReply))) return `${this.name} ${request.label}`
    this.#requests.shift()
    const { how, value } = request.outcome as NonNullable<Request['outcome']>
    if (this.owner.isAlive) request.reply?.(how, value)
    return `${this.name} ${request.label}${isReply ? ': reply' : ', reply'}`
  }
}

function attempt (request: Request): void {
  try {
    request.outcome = { how: 'resolve', value: request.execute() }
  } catch (err) {
    request.outcome = { how: 'reject', value: err }
  }
}
