import type { Endpoint } from './endpoint.ts'

export type ConcurrencyCaps = {
  /** Attempts in flight in all, and to one origin. */
  total: number
  perOrigin: number
}

type Usage = { inFlight: number, unproven: number }

const NO_USAGE: Usage = { inFlight: 0, unproven: 0 }
/** How old the knowledge may be of who is late. */
const REVIEW_MS = 50

/**
 * The slots that attempts take, in all and of one origin. Suspects share half
 * of either, so that an endpoint that answers always finds one, however many
 * hang beside it: at the same origin too, where hundreds of users may have
 * theirs (a vendor of automations, say).
 */
export class ConcurrencyLimits {
  readonly #limits: ConcurrencyCaps
  readonly #all: Usage = { ...NO_USAGE }
  readonly #origins = new Map<string, Usage>()
  /** Endpoints with something in flight, and whether that is counted as of suspects. */
  readonly #busy = new Map<Endpoint, boolean>()
  #reviewedAt = 0

  constructor (limits: ConcurrencyCaps) {
    this.#limits = limits
  }

  get inFlight (): number {
    return this.#all.inFlight
  }

  get isExhausted (): boolean {
    return this.#all.inFlight >= this.#limits.total
  }

  canAcquire (endpoint: Endpoint): boolean {
    const atOrigin = this.#origins.get(endpoint.origin) ?? NO_USAGE
    const { total, perOrigin } = this.#limits
    if (this.isExhausted || atOrigin.inFlight >= perOrigin) return false
    const [half, halfOfOrigin] = [Math.ceil(total / 2), Math.ceil(perOrigin / 2)]
    if ((this.#all.inFlight < half && atOrigin.inFlight < halfOfOrigin) || !endpoint.isUnproven) return true
    this.#review()
    return this.#all.unproven < half && atOrigin.unproven < halfOfOrigin
  }

  acquire (endpoint: Endpoint): void {
    this.#recount(endpoint)
    this.#count(endpoint, 1, this.#busy.get(endpoint) ?? endpoint.isUnproven)
  }

  release (endpoint: Endpoint): void {
    this.#count(endpoint, -1, this.#busy.get(endpoint) ?? false)
    this.#recount(endpoint)
  }

  /** Who was beyond suspicion when it took its slots may be late by now. */
  #review (): void {
    const now = performance.now()
    if (now - this.#reviewedAt < REVIEW_MS) return
    this.#reviewedAt = now
    for (const endpoint of this.#busy.keys()) this.#recount(endpoint)
  }

  #recount (endpoint: Endpoint): void {
    const counted = this.#busy.get(endpoint)
    const { inFlight, isUnproven } = endpoint
    if (counted === undefined || counted === isUnproven) return
    this.#count(endpoint, -inFlight, counted)
    this.#count(endpoint, inFlight, isUnproven)
  }

  #count (endpoint: Endpoint, slots: number, isSuspect: boolean): void {
    const atOrigin = this.#origins.get(endpoint.origin) ?? { ...NO_USAGE }
    for (const use of [this.#all, atOrigin]) {
      use.inFlight += slots
      if (isSuspect) use.unproven += slots
    }
    endpoint.inFlight += slots
    if (atOrigin.inFlight > 0) this.#origins.set(endpoint.origin, atOrigin)
    else this.#origins.delete(endpoint.origin)
    if (endpoint.inFlight > 0) this.#busy.set(endpoint, isSuspect)
    else this.#busy.delete(endpoint)
  }
}
