import type { Endpoint } from './endpoint.ts'

export type SlotLimits = {
  /** Attempts in flight in all, and to one origin. */
  total: number
  perOrigin: number
}

type Use = { inFlight: number, suspects: number }

const UNUSED: Use = { inFlight: 0, suspects: 0 }
/** How old the knowledge may be of who is late. */
const REVIEW_MS = 50

/**
 * The slots that attempts take, in all and of one origin. Suspects share half
 * of either, so that an endpoint that answers always finds one, however many
 * hang beside it: at the same origin too, where hundreds of users may have
 * theirs (a vendor of automations, say).
 */
export class Slots {
  readonly #limits: SlotLimits
  readonly #all: Use = { ...UNUSED }
  readonly #origins = new Map<string, Use>()
  /** Endpoints with something in flight, and whether that is counted as of suspects. */
  readonly #busy = new Map<Endpoint, boolean>()
  #reviewedAt = 0

  constructor (limits: SlotLimits) {
    this.#limits = limits
  }

  get inFlight (): number {
    return this.#all.inFlight
  }

  get areTaken (): boolean {
    return this.#all.inFlight >= this.#limits.total
  }

  mayTake (endpoint: Endpoint): boolean {
    const atOrigin = this.#origins.get(endpoint.origin) ?? UNUSED
    const { total, perOrigin } = this.#limits
    if (this.areTaken || atOrigin.inFlight >= perOrigin) return false
    const [half, halfOfOrigin] = [Math.ceil(total / 2), Math.ceil(perOrigin / 2)]
    if ((this.#all.inFlight < half && atOrigin.inFlight < halfOfOrigin) || !endpoint.isSuspect) return true
    this.#review()
    return this.#all.suspects < half && atOrigin.suspects < halfOfOrigin
  }

  take (endpoint: Endpoint): void {
    this.#recount(endpoint)
    this.#count(endpoint, 1, this.#busy.get(endpoint) ?? endpoint.isSuspect)
  }

  free (endpoint: Endpoint): void {
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
    const { inFlight, isSuspect } = endpoint
    if (counted === undefined || counted === isSuspect) return
    this.#count(endpoint, -inFlight, counted)
    this.#count(endpoint, inFlight, isSuspect)
  }

  #count (endpoint: Endpoint, slots: number, isSuspect: boolean): void {
    const atOrigin = this.#origins.get(endpoint.origin) ?? { ...UNUSED }
    for (const use of [this.#all, atOrigin]) {
      use.inFlight += slots
      if (isSuspect) use.suspects += slots
    }
    endpoint.inFlight += slots
    if (atOrigin.inFlight > 0) this.#origins.set(endpoint.origin, atOrigin)
    else this.#origins.delete(endpoint.origin)
    if (endpoint.inFlight > 0) this.#busy.set(endpoint, isSuspect)
    else this.#busy.delete(endpoint)
  }
}
