import { EventEmitter } from 'node:events'
import type { Redis } from 'ioredis'
import { eventIdOf } from '@tidings/job-events'
import type { RedisStore, StreamEntry } from './redis-store.ts'
import { ConnectionLost, type CallOptions, type Connection, type Process, type Simulation } from './simulation.ts'

export type SimulatedRedis = {
  simulation: Simulation
  store: RedisStore
  /** Events in a user's history. */
  historyLength: number
  /** All connections, for faults. */
  clients: Set<Client>
  /** Between the two parts of an append, where a mutation makes two of it. */
  splitsAppend?: boolean
}

/** A client of the simulated Redis, for the code of the services. */
export function redisClient (redis: SimulatedRedis, owner: Process): Redis {
  return new Client(redis, owner) as unknown as Redis
}

/** The commands of ioredis that the relay, the consumers of the stream and the gateway use. */
export class Client extends EventEmitter {
  readonly isCluster = false
  readonly status = 'ready'
  readonly owner: Process
  readonly #redis: SimulatedRedis
  readonly #connection: Connection
  readonly #reconnects: boolean
  #isClosed = false

  constructor (redis: SimulatedRedis, owner: Process, { reconnects = true } = {}) {
    super()
    this.setMaxListeners(0)
    this.owner = owner
    this.#redis = redis
    this.#reconnects = reconnects
    this.#connection = redis.simulation.connect(owner, 'redis')
    redis.clients.add(this)
  }

  duplicate ({ retryStrategy }: { retryStrategy?: () => number | null } = {}): Client {
    return new Client(this.#redis, this.owner, { reconnects: retryStrategy?.() !== null })
  }

  /** The scripts of read.lua and others are methods here. */
  defineCommand (): void {}

  /** The network cuts the connection. */
  cut (): void {
    const { random } = this.#redis.simulation
    this.#connection.cut(random, { resends: this.#reconnects && random.chance(0.5) })
    if (!this.#reconnects) this.#close()
  }

  disconnect (reconnects = false): void {
    this.#connection.cut(this.#redis.simulation.random)
    if (!reconnects) this.#close()
  }

  #close () {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#redis.clients.delete(this)
    this.emit('close')
  }

  async #call<T> (label: string, execute: (store: RedisStore) => T, options?: CallOptions): Promise<T> {
    if (this.#isClosed) throw new ConnectionLost('Connection is closed.')
    return await this.#connection.call(label, () => execute(this.#redis.store), options)
  }

  async xread (...args: (string | number)[]): Promise<[string, StreamEntry[]][] | null> {
    const [key, after] = args.slice(-2).map(String) as [string, string]
    const count = Number(args[1])
    const id = eventIdOf(after)
    const blocks = args.indexOf('BLOCK')
    const { store, simulation } = this.#redis
    const options = blocks === -1
      ? {}
      : {
          isReady: () => store.after(key, id, 1).length > 0,
          readyAt: simulation.time.now + Number(args[blocks + 1])
        }
    return await this.#call(`XREAD ${key} ${after}`, store => {
      const entries = store.after(key, id, count)
      return entries.length === 0 ? null : [[key, entries]]
    }, options)
  }

  async xrange (key: string, start: string, ...args: (string | number)[]): Promise<StreamEntry[]> {
    const after = start === '-' ? { ms: 0, seq: 0 } : eventIdOf(start.slice(1))
    return await this.#call(`XRANGE ${key} ${start}`, store => store.after(key, after, Number(args.at(-1))))
  }

  async mget (...keys: string[]): Promise<(string | null)[]> {
    return await this.#call('MGET', store => keys.map(key => store.texts.get(key) ?? null))
  }

  async time (): Promise<[seconds: number, microseconds: number]> {
    return await this.#call('TIME', () => {
      const { now } = this.#redis.simulation.time
      return [Math.floor(now / 1000), now % 1000 * 1000]
    })
  }

  async hmget (key: string, ...fields: string[]): Promise<(string | null)[]> {
    return await this.#call(`HMGET ${key}`, store => fields.map(field => store.hashes.get(key)?.get(field) ?? null))
  }

  async xinfo (_: 'STREAM', key: string): Promise<unknown[]> {
    return await this.#call('XINFO', store => {
      const stream = store.streams.get(key)
      if (!stream) throw new Error('ERR no such key')
      return ['last-generated-id', `${stream.last.ms}-${stream.last.seq}`]
    })
  }

  async tidingsOpen (stream: string, epoch: string, ms: number, seq: number) {
    return await this.#call('open', store => store.open([stream, epoch], { ms, seq }))
  }

  async tidingsAppend (...all: (string | number)[]) {
    const args = all.map(String)
    const { splitsAppend, historyLength } = this.#redis
    const [keys, values] = [args.slice(0, 4), args.slice(4)]
    const label = `append ${values[0]} → ${values[2]}`
    if (!splitsAppend) return await this.#call(label, store => store.append(keys, values, { historyLength }))
    const reply = await this.#call(label, store => {
      const before = [...store.hashes.get(keys[0] as string) ?? []]
      const appended = store.append(keys, values, { historyLength })
      store.hashes.set(keys[0] as string, new Map(before))
      return appended
    })
    await this.#call('move the position', store => { store.movePosition(keys[0] as string, values.slice(2, 5)) })
    return reply
  }

  async tidingsCovers (stream: string, epoch: string, history: string, ms: number, seq: number) {
    return await this.#call(`covers ${ms}-${seq}`, store => store.covers([stream, epoch, history], { ms, seq }))
  }

  async tidingsReadQueue (key: string, after: string, count: number) {
    return await this.#call(`read ${after}`, store => store.readQueue(key, eventIdOf(after), count))
  }
}
