import { AsyncLocalStorage } from 'node:async_hooks'
import { syncBuiltinESMExports } from 'node:module'
import timersPromises from 'node:timers/promises'

/** Who sets timers; once it is dead they do not fire any more, and while it is frozen they wait. */
export type Owner = { isAlive: boolean, isFrozen: boolean }

type Timer = { at: number, order: number, owner: Owner | undefined, run: () => void }

const owners = new AsyncLocalStorage<Owner>()
let isInstalled = false

/** Runs a function whose timers, and those of everything that it awaits, belong to an owner. */
export function runAs<T> (owner: Owner, work: () => T): T {
  return owners.run(owner, work)
}

/**
 * The clocks and timers of this process, under the control of a simulation: time stands still until it is advanced.
 * `setTimeout`, `setInterval`, `setImmediate`, their promises, `Date.now`, `performance.now` and `Math.random` of all
 * modules.
 */
export class VirtualTime {
  now = Date.UTC(2026, 0, 1)
  readonly #timers = new Map<number, Timer>()
  #order = 0

  /** When the next timer fires, in milliseconds; Infinity without one. */
  get nextAt (): number {
    return this.#next()?.at ?? Infinity
  }

  /** Fires the next timer. */
  fireNext (): void {
    const timer = this.#next()
    if (!timer) return
    this.now = Math.max(this.now, timer.at)
    this.#timers.delete(timer.order)
    timer.run()
  }

  /** Lets everything run that waits for no timer and for no reply: a tick comes when no microtask is left. */
  static async settle (): Promise<void> {
    await new Promise<void>(resolve => { process.nextTick(resolve) })
  }

  set (ms: number, callback: () => void, everyMs?: number): number {
    const owner = owners.getStore()
    const order = ++this.#order
    const add = (delay: number) => {
      const run = () => {
        if (everyMs !== undefined) add(everyMs)
        if (owner) owners.run(owner, callback)
        else callback()
      }
      this.#timers.set(order, { at: this.now + Math.max(0, delay), order, owner, run })
    }
    add(ms)
    return order
  }

  clear (order: number): void {
    this.#timers.delete(order)
  }

  #next (): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers.values()) {
      if (timer.owner && !timer.owner.isAlive) this.#timers.delete(timer.order)
      else if (timer.owner?.isFrozen) continue
      else if (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order)) first = timer
    }
    return first
  }

  /** Runs a simulation on this clock, and with these random numbers. One at a time. */
  async during<T> (work: () => Promise<T>, random: () => number): Promise<T> {
    if (isInstalled) throw new Error('Another simulation has the clock')
    const restore = install(this, random)
    isInstalled = true
    try {
      return await work()
    } finally {
      isInstalled = false
      restore()
    }
  }
}

type Handle = { order: number, unref: () => Handle, ref: () => Handle, hasRef: () => boolean }

function handleOf (order: number): Handle {
  const handle: Handle = { order, unref: () => handle, ref: () => handle, hasRef: () => true }
  return handle
}

function install (time: VirtualTime, random: () => number): () => void {
  const started = time.now
  type Callback = (...args: unknown[]) => void
  const set = (everyMs?: (ms: number) => number) => (callback: Callback, ms = 0, ...args: unknown[]) =>
    handleOf(time.set(ms, () => callback(...args), everyMs?.(ms)))
  const clear = (handle: Handle | undefined) => { if (handle) time.clear(handle.order) }
  const sleep = (ms = 0, value?: unknown, { signal }: { signal?: AbortSignal | undefined } = {}) =>
    new Promise((resolve, reject: (reason: Error) => void) => {
      const fail = () => reject(new Error('The wait was aborted', { cause: signal?.reason }))
      if (signal?.aborted) return fail()
      const order = time.set(ms, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve(value)
      })
      const onAbort = () => {
        time.clear(order)
        fail()
      }
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  const restores = [
    replace(globalThis, {
      setTimeout: set(),
      setInterval: set(ms => ms),
      setImmediate: (callback: Callback, ...args: unknown[]) => set()(callback, 0, ...args),
      clearTimeout: clear,
      clearInterval: clear,
      clearImmediate: clear
    }),
    replace(timersPromises, { setTimeout: sleep, setImmediate: (value?: unknown) => sleep(0, value) }),
    replace(Math, { random }),
    replace(Date, { now: () => time.now }),
    replace(performance, { now: () => time.now - started })
  ]
  syncBuiltinESMExports()
  return () => {
    for (const restore of restores) restore()
    syncBuiltinESMExports()
  }
}

/** Replaces members of an object; the result puts the former ones back. */
export function replace (target: object, members: Record<string, unknown>): () => void {
  const former = Object.keys(members).map(name => [name, Object.getOwnPropertyDescriptor(target, name)] as const)
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(target, name, { value, configurable: true, writable: true })
  }
  return () => {
    for (const [name, descriptor] of former) {
      if (descriptor) Object.defineProperty(target, name, descriptor)
      else Reflect.deleteProperty(target, name)
    }
  }
}
