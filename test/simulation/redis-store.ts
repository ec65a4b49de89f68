import { compareEventIds, eventIdOf, formatEventId, isNewer, newest, ZERO, type EventId } from '@tidings/job-events'
import type { VirtualTime } from './virtual-time.ts'

export type StreamEntry = [id: string, fields: string[]]
export type Stream = { entries: StreamEntry[], last: EventId, added: number }

/** What a mutation of the protocol does differently. */
export type StoreMutation = {
  /** append.lua does not compare the position. */
  appendsAnywhere?: boolean
  /** append.lua knows no finished jobs. */
  hasNoFinality?: boolean
  /** covers.lua finds every history complete. */
  coversAll?: boolean
  /** Trimming leaves no low-water mark. */
  hasNoLowWater?: boolean
}

type Bounds = { historyLength: number }
export type Published = { owner: string, id: EventId, payload: string }

const FIRST_EVENT = 11

/**
 * The keys of a Redis, and the commands and scripts of Tidings on them. The scripts mirror, statement by statement,
 * append.lua, covers.lua, open.lua and trim.lua of packages/job-events and read.lua of jobs-api: a change of one of
 * them is made here too. Streams are trimmed exactly, where Redis trims whole nodes: that is the harder case.
 */
export class RedisStore {
  readonly streams = new Map<string, Stream>()
  readonly texts = new Map<string, string>()
  readonly hashes = new Map<string, Map<string, string>>()
  /** Every job event ever appended, in order, whatever was trimmed or lost since. */
  readonly published: Published[] = []
  readonly #time: VirtualTime
  readonly #mutation: StoreMutation

  constructor (time: VirtualTime, mutation: StoreMutation = {}) {
    this.#time = time
    this.#mutation = mutation
  }

  /** All keys are lost. */
  flush (): void {
    this.streams.clear()
    this.texts.clear()
    this.hashes.clear()
  }

  xadd (key: string, id: EventId | '*', fields: string[], maxLength = Infinity): EventId {
    const stream = this.#streamAt(key)
    const own = id === '*' ? this.#idAfter(stream.last) : id
    if (!isNewer(own, stream.last)) throw new Error('ERR The ID specified in XADD is equal or smaller')
    stream.entries.push([formatEventId(own), fields])
    stream.last = own
    stream.added++
    if (stream.entries.length > maxLength) stream.entries.splice(0, stream.entries.length - maxLength)
    return own
  }

  after (key: string, id: EventId, count: number): StreamEntry[] {
    const entries = this.streams.get(key)?.entries ?? []
    let low = 0
    for (let high = entries.length; low < high;) {
      const middle = (low + high) >> 1
      if (isNewer(eventIdOf((entries[middle] as StreamEntry)[0]), id)) high = middle
      else low = middle + 1
    }
    return entries.slice(low, low + count)
  }

  last (key: string): EventId {
    return this.streams.get(key)?.last ?? ZERO
  }

  /** open.lua */
  open ([streamKey, epochKey]: string[], minimum: EventId): [epoch: string, last: string] {
    const known = this.streams.get(streamKey as string)
    if (!known) this.#create(streamKey as string, minimum)
    else if (isNewer(minimum, known.last)) known.last = minimum
    const last = formatEventId(this.last(streamKey as string))
    const epoch = known ? this.texts.get(epochKey as string) ?? last : last
    this.texts.set(epochKey as string, epoch)
    return [epoch, last]
  }

  /** append.lua, without conclusions of a reconciliation and without the age of entries. */
  append ([positionKey, streamKey, epochKey]: string[], args: string[], { historyLength }: Bounds) {
    const position = this.hashes.get(positionKey as string)
    const [at, read, lost] = ['at', 'read', 'lost'].map((name, i) => position?.get(name) ?? (i === 0 ? '0-0' : '0'))
    if (!this.#mutation.appendsAnywhere && (at !== args[0] || read !== args[1])) return [0, at, read, lost] as const
    const minimum = { ms: Number(args[5]), seq: Number(args[6]) }
    const known = this.streams.get(streamKey as string)
    if (known && isNewer(minimum, known.last)) return [0, at, read, lost] as const

    const final = new Map<string, boolean>()
    const dropped: number[] = []
    const published: { owner: string, historyKey: string, finalKey: string, payload: string }[] = []
    for (let i = FIRST_EVENT, n = 0; i < args.length; i += 5, n++) {
      const [owner = '', historyKey = '', finalKey = '', kind = '', payload = ''] = args.slice(i, i + 5)
      const isFinal = final.get(finalKey) ?? (!this.#mutation.hasNoFinality && this.texts.has(finalKey))
      final.set(finalKey, isFinal)
      if (!kind.startsWith('open') && isFinal) {
        dropped.push(n)
        continue
      }
      published.push({ owner, historyKey, finalKey, payload })
      final.set(finalKey, kind === 'final')
    }

    if (!known) this.#create(streamKey as string, minimum)
    const stream = this.#streamAt(streamKey as string)
    if (!known || !this.texts.has(epochKey as string)) {
      this.texts.set(epochKey as string, formatEventId(stream.last))
    }
    const start = published.length > 0 && this.#time.now > stream.last.ms
      ? { ms: this.#time.now, seq: -1 }
      : stream.last
    let { seq } = start
    for (const { owner, historyKey, finalKey, payload } of published) {
      const id = { ms: start.ms, seq: ++seq }
      this.xadd(streamKey as string, id, ['u', owner, 'd', payload])
      this.xadd(historyKey, id, ['d', payload], historyLength)
      if (final.get(finalKey)) this.texts.set(finalKey, formatEventId(id))
      this.published.push({ owner, id, payload })
    }
    for (const [key, isFinal] of final) if (!isFinal) this.texts.delete(key)
    this.movePosition(positionKey as string, args.slice(2, 5))
    const ids = [start.seq + 1, seq].map(n => formatEventId({ ms: start.ms, seq: n }))
    return [1, published.length, dropped.length, 0, ...ids, dropped] as const
  }

  movePosition (key: string, [at, read, lost]: string[]): void {
    this.hashes.set(key, new Map([['at', String(at)], ['read', String(read)], ['lost', String(lost)]]))
  }

  /** covers.lua, without the age of the history. */
  covers ([streamKey, epochKey, historyKey]: string[], since: EventId): [0 | 1, string] {
    const stream = this.streams.get(streamKey as string)
    const last = formatEventId(this.last(streamKey as string))
    if (this.#mutation.coversAll) return [1, last]
    const epoch = this.texts.get(epochKey as string)
    if (!stream || !epoch || isNewer(eventIdOf(epoch), since) || isNewer(since, stream.last)) return [0, last]
    const history = this.streams.get(historyKey as string)
    const first = history?.entries[0]
    if (!history || (first && !isNewer(eventIdOf(first[0]), since))) return [1, last]
    return [history.added === history.entries.length ? 1 : 0, last]
  }

  /** trim.lua, by a number of entries instead of an id. */
  trim (streamKey: string, lowWaterKey: string, count: number): void {
    const highest = this.streams.get(streamKey)?.entries.splice(0, count).at(-1)
    if (highest && !this.#mutation.hasNoLowWater) this.texts.set(lowWaterKey, highest[0])
  }

  /** read.lua, without a bound in bytes. */
  readQueue (key: string, after: EventId, count: number): [StreamEntry[], number, number, string] {
    const stream = this.streams.get(key)
    if (!stream) return [[], 0, 0, '0-0']
    return [this.after(key, after, count), stream.added, stream.entries.length, formatEventId(stream.last)]
  }

  #create (key: string, minimum: EventId): void {
    const last = { ms: Math.max(this.#time.now, minimum.ms), seq: minimum.seq + 1 }
    this.streams.set(key, { entries: [], last, added: 0 })
  }

  #streamAt (key: string): Stream {
    const known = this.streams.get(key)
    if (known) return known
    const stream = { entries: [], last: ZERO, added: 0 }
    this.streams.set(key, stream)
    return stream
  }

  #idAfter (last: EventId): EventId {
    const now = { ms: this.#time.now, seq: 0 }
    return compareEventIds(now, last) > 0 ? now : newest(now, { ms: last.ms, seq: last.seq + 1 })
  }
}
