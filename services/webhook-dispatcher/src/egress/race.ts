import { isIPv6, type Socket } from 'node:net'
import type { Found } from './resolve.ts'

/** RFC 8305, "Connection Attempt Delay": the time after which the next address is tried in parallel. */
const STAGGER_MS = 250
/** Further addresses are ignored: a name must not turn the dispatcher into a port scanner. */
const MAX_ADDRESSES = 16

/** Connects to one address; an abort of the signal ends the attempt and its socket. */
export type Dial = (address: string, signal: AbortSignal) => Promise<Socket>

type RaceOptions = {
  dial: Dial
  /** Whether an address may be connected to; others are skipped. */
  isAllowed: (address: string) => boolean
  /** An address that has worked before: it is tried first. */
  preferred?: string | undefined
  signal: AbortSignal
}

export type Winner = { socket: Socket, address: string }

/** None of the addresses could be connected to; without errors, none was allowed. */
export class RaceLost extends Error {
  readonly errors: readonly unknown[]

  constructor (errors: readonly unknown[]) {
    super('No address could be connected to')
    this.name = 'RaceLost'
    this.errors = errors
  }
}

/**
 * Happy Eyeballs (RFC 8305): tries the addresses of a name in parallel, alternating between families, IPv6 first. The
 * next one starts when one has failed, or has not connected within 250 ms; the first that connects wins, the others are
 * closed. Only the signal ends an attempt, so that distant endpoints connect too. Addresses that DNS returns later join
 * the race.
 *
 * @throws RaceLost, or the signal's reason
 */
export async function race (
  { addresses, later }: Found, { dial, isAllowed, preferred, signal }: RaceOptions
): Promise<Winner> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<Winner>()
  const over = new AbortController()
  const errors: unknown[] = []
  const met = new Set<string>()
  let queue: string[] = []
  let dialling = 0
  let isComplete = later === undefined
  let timer: NodeJS.Timeout | undefined

  function enter (found: string[]): void {
    const fresh = found.filter(address => !met.has(address) && isAllowed(address)).slice(0, MAX_ADDRESSES - met.size)
    for (const address of fresh) met.add(address)
    queue = inTurn([...queue, ...fresh], preferred)
    if (dialling === 0) next()
  }

  function next (): void {
    clearTimeout(timer)
    if (over.signal.aborted) return
    const address = queue.shift()
    if (address === undefined) {
      if (dialling === 0 && isComplete) end(() => reject(new RaceLost(errors)))
      return
    }
    dialling++
    timer = setTimeout(next, STAGGER_MS)
    dial(address, over.signal).then(socket => won({ socket, address }), failed)
  }

  function won (winner: Winner): void {
    if (over.signal.aborted) winner.socket.destroy()
    else end(() => resolve(winner))
  }

  function failed (err: unknown): void {
    dialling--
    errors.push(err)
    next()
  }

  function end (settle: () => void): void {
    if (over.signal.aborted) return
    settle()
    clearTimeout(timer)
    signal.removeEventListener('abort', giveUp)
    over.abort()
  }

  function giveUp (): void {
    end(() => reject(signal.reason as Error))
  }

  signal.addEventListener('abort', giveUp)
  later?.then(found => {
    isComplete = true
    enter(found)
  }, reject)
  enter(addresses)
  return await promise
}

/** The preferred address, then IPv6 and IPv4 in turn. */
function inTurn (addresses: string[], preferred: string | undefined): string[] {
  const rest = addresses.filter(address => address !== preferred)
  const families = [rest.filter(isIPv6), rest.filter(address => !isIPv6(address))] as const
  const turns = Array.from({ length: rest.length }, (_, i) => families.flatMap(family => family[i] ?? [])).flat()
  return addresses.length === rest.length ? turns : [preferred as string, ...turns]
}
