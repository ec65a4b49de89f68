import type { Endpoint } from './endpoint.ts'

export type ConcurrencyCaps = {
  /** Attempts in flight in all. */
  total: number
  /** Attempts in flight to one origin. */
  perOrigin: number
}

type Usage = { inFlight: number, unproven: number }

const NO_USAGE: Usage = { inFlight: 0, unproven: 0 }
/** How old the count of late endpoints may be. */
const REVIEW_MS = 50

/**
 * Limits the attempts in flight, in all and per origin. Unproven endpoints
 * share half of either limit, so that an endpoint that answers always finds a
 * slot, however many others hang: at the same origin too, where hundreds of
 * users may have their endpoints (an automation vendor, say).
 */
export class ConcurrencyLimits {
  readonly #limits: ConcurrencyCaps
  readonly #all: Usage = { ...NO_USAGE }
  readonly #origins = new Map<string, Usage>()
  /** Endpoints with attempts in flight, and whether those are counted as unproven. */
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

  /** An endpoint that was proven when it took its slots may be late by now. */
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
