import type { CircuitState } from '@tidings/contracts'
import type { Attempt, Target } from '../attempt/task.ts'
import { ConcurrencyWindow } from './concurrency-window.ts'
import { EndpointCircuit } from './endpoint-circuit.ts'
import { LatencyAverage } from './latency-average.ts'
import type { OrderedRun } from './ordered-run.ts'
import { PostgresClock } from './postgres-clock.ts'
import { Responsiveness } from './responsiveness.ts'

/** One webhook's endpoint as this process knows it: its concurrency, and how it answers. */
export class Endpoint {
  readonly id: number
  readonly origin: string
  readonly waiting: OrderedRun<Endpoint>[] = []
  inFlight = 0
  /** Due rows wait in Postgres: new events queue up behind them. */
  hasBacklog = false
  usedAt = performance.now()
  #target: Target | undefined
  #isRemoved = false
  readonly #window: ConcurrencyWindow
  readonly #circuit: EndpointCircuit
  readonly #responsiveness: Responsiveness

  constructor (
    { id, url }: Pick<Target, 'id' | 'url'>, cap: number, latency = new LatencyAverage(), clock = new PostgresClock()
  ) {
    this.id = id
    this.origin = originOf({ url })
    this.#window = new ConcurrencyWindow(cap)
    this.#circuit = new EndpointCircuit(clock)
    this.#responsiveness = new Responsiveness(latency)
  }

  /** Whether this process knows a newer version of the webhook than this one. */
  isNewerThan ({ changed_at: changedAt }: Target): boolean {
    return changedAt < (this.#target?.changed_at ?? 0)
  }

  /**
   * Takes the webhook as it was just read. A change by its owner resets the failures seen here: it is to be tried
   * again.
   */
  update (target: Target): void {
    if (this.#target && target.changed_at > this.#target.changed_at) this.#circuit.reset()
    this.#target = target
  }

  /** The webhook was deleted, or has another endpoint now: no further attempt starts here. */
  stop (): void {
    this.#isRemoved = true
  }

  /** The webhook as it was last read. */
  get target (): Target | undefined {
    return this.#target
  }

  get isStopped (): boolean {
    return this.#isRemoved || (this.#target !== undefined && this.#target.status !== 'active')
  }

  /** Takes the health recorded in Postgres, which other replicas write too. */
  syncHealth (health: Pick<Target, 'failures' | 'open_until'>): void {
    this.#circuit.sync(health)
  }

  /** Records the start of an attempt; the returned function is to be called at its end. */
  beginAttempt (): () => void {
    return this.#responsiveness.begin()
  }

  record ({ outcome, pausedUntil }: Attempt): void {
    this.#responsiveness.record(outcome)
    this.#circuit.record(outcome.ok, pausedUntil)
    if (outcome.ok) this.#window.record('succeeded')
    else this.#window.record(pausedUntil === undefined ? 'failed' : 'throttled')
  }

  /**
   * Whether a batch waits for this endpoint's response before it is written. False until it has answered quickly once.
   */
  get isResponsive (): boolean {
    return this.#responsiveness.isResponsive
  }

  /** An endpoint that is late is not responsive until it answers quickly again. */
  noteLateness (): void {
    this.#responsiveness.noteLateness()
  }

  /** Whether it takes so long for each response that a job's deliveries may lag. */
  get isSlow (): boolean {
    return this.#responsiveness.isSlow
  }

  get circuit (): CircuitState {
    return this.#circuit.state
  }

  /** Whether failures are recorded in Postgres, which a success must reset. */
  get wasFailing (): boolean {
    return this.#circuit.wasFailing
  }

  /** How many attempts may be in flight. */
  get concurrency (): number {
    const { circuit } = this
    switch (circuit) {
      case 'closed':
      case 'failing':
      case 'throttled': return this.#window.size
      case 'open':
      case 'half-open': return 1
      default: return circuit satisfies never
    }
  }

  /** How many more runs may be claimed: up to twice the concurrency is held here, so that no slot waits for SQL. */
  get capacity (): number {
    const depth = this.#circuit.failures > 0 ? this.concurrency : 2 * this.concurrency
    return Math.max(0, depth - this.inFlight - this.waiting.length)
  }

  /** Whether an attempt may well take the whole deadline: the endpoint fails, is late, or has never answered. */
  get isUnproven (): boolean {
    return this.#circuit.failures > 0 || !this.#responsiveness.hasAnswered || this.#responsiveness.isLate
  }

  /** No attempts for now: the endpoint asked for that, or its circuit is open. */
  get isPaused (): boolean {
    const { circuit } = this
    switch (circuit) {
      case 'closed':
      case 'failing':
      case 'half-open': return false
      case 'throttled':
      case 'open': return true
      default: return circuit satisfies never
    }
  }

  /** The circuit is open or half-open: the endpoint is paused, or only probed. */
  get isCircuitOpen (): boolean {
    return this.circuit !== 'closed' && this.circuit !== 'failing'
  }

  /** Whether a first attempt may be made at once, before the delivery has a row. */
  get canTryInline (): boolean {
    return !this.hasBacklog && !this.isCircuitOpen
  }
}

/** The origin that an endpoint's connections go to. */
export function originOf ({ url }: Pick<Target, 'url'>): string {
  return URL.parse(url)?.origin ?? url
}
