import type { FastifyBaseLogger } from 'fastify'
import type { JobEvent } from '@tidings/contracts'
import {
  compareEventIds, createLinger, eventIdOf, isNewer, UNKNOWN_ID, type EventId, type StreamWriter, type RelayPosition
} from '@tidings/job-events'
import { backoff, limitStep, pause } from '@tidings/service-kit'
import type { BackgroundMetrics } from '../metrics.ts'
import type { RecentEnds } from './lost-ends/recent-ends.ts'
import type { ToJobEvents } from './mapping/to-job-events.ts'
import { createPausePoint } from './pause-point.ts'
import type { BullmqEventReader } from './source/bullmq-event-reader.ts'
import { detectGap, type Advance } from './source/detect-gap.ts'

const RETRY = { minMs: 100, maxMs: 1000 }
/**
 * The delay that all channels accept, so that not every event is a batch of its own for Redis, us and every consumer.
 */
const LINGER_MS = 2

type RelayOptions = {
  queue: string
  openReader: () => BullmqEventReader
  stream: StreamWriter
  toJobEvents: ToJobEvents
  /** The highest event id that Postgres has seen. */
  minimumId: () => EventId
  /** Called before the first batch and after every failure; resolves once relaying may start. */
  prepare: (reader: BullmqEventReader) => Promise<void>
  /** Called before each advance. */
  onAdvance: (advance: Advance) => Promise<void>
  recentEnds: RecentEnds
  /** Of a step that is given up and tried again: it is refused where the first try succeeded after all. */
  stepTimeoutMs?: number
  metrics: BackgroundMetrics
  log: FastifyBaseLogger
}

export type Relay = ReturnType<typeof createRelay>

/** Moves one queue's BullMQ events into the job-event stream: in order, each once. */
export function createRelay (
  {
    queue, openReader, stream, toJobEvents, minimumId, prepare, onAdvance, recentEnds, metrics, log, stepTimeoutMs
  }: RelayOptions
) {
  const pausePoint = createPausePoint<RelayPosition>({ workTimeoutMs: stepTimeoutMs })
  let fault: Error | undefined

  /** Relays until the signal aborts. */
  async function run (signal: AbortSignal): Promise<void> {
    pausePoint.open()
    for (let failures = 0; !signal.aborted;) {
      try {
        await relayFrom(await limitStep(stream.position(queue), stepTimeoutMs), signal, () => {
          failures = 0
          fault = undefined
        })
      } catch (err) {
        if (signal.aborted) break
        fault = err as Error
        log[failures === 0 ? 'warn' : 'debug']({ err, queue }, 'relay: batch failed')
        await pause(backoff(failures++, RETRY), signal)
      }
    }
    pausePoint.close()
  }

  /** Relays batch by batch until the signal aborts or another replica turns out to be faster. */
  async function relayFrom (start: RelayPosition, signal: AbortSignal, onMoved: () => void): Promise<void> {
    const reader = openReader()
    signal.addEventListener('abort', reader.close, { once: true })
    const linger = createLinger(LINGER_MS)
    const read = async (after: string, wait: boolean) => {
      if (wait) await linger.over(signal)
      return await reader.read(after, { wait })
    }
    const startReading = (after: string, wait: boolean) => {
      const reading = read(after, wait)
      reading.catch(() => {}) // thrown when it is awaited, unless the loop ends before that
      return reading
    }
    try {
      await limitStep(prepare(reader), stepTimeoutMs)
      let reading = startReading(start.at, true)
      for (let position = start; !signal.aborted;) {
        const page = await pausePoint.serveUntil(reading, position)
        const advance = detectGap(position, page)
        if (advance.entries.length > 0) linger.note()
        // The next read overlaps the append (measured: 68k events/s instead of 46k).
        reading = startReading(advance.to.at, page.isEnd)
        if (!await limitStep(move(position, advance), stepTimeoutMs)) return
        position = advance.to
        onMoved()
      }
    } finally {
      signal.removeEventListener('abort', reader.close)
      reader.close()
    }
  }

  /**
   * Appends the events of an advance and moves the position. Exactly once: `append` accepts the batch only while the
   * queue's position is still the one that the batch started from.
   */
  async function move (from: RelayPosition, advance: Advance): Promise<boolean> {
    await onAdvance(advance)
    const { to, entries } = advance
    if (isSamePosition(from, to)) return true
    const events = await toJobEvents(entries)
    recentEnds.send(events, from, to)
    const outcome = await stream.append({ queue, from, to, events, repeated, minimumId: minimumId() })
    if (!outcome.moved) {
      metrics.appendConflicts.inc({ queue })
      return false
    }
    recentEnds.note(events, outcome.last, outcome.ids)
    metrics.batches.inc({ queue })
    metrics.relayed.inc({ queue }, outcome.appended)
    metrics.late.inc({ queue }, outcome.dropped)
    metrics.repairedHistories.inc({ queue }, outcome.repaired)
    return true
  }

  function repeated (event: JobEvent) {
    return recentEnds.mayRepeat(event) ? { id: UNKNOWN_ID } as const : undefined
  }

  return {
    run,
    /** The error of the last batch; undefined once a batch was moved. */
    get fault () { return fault },
    /**
     * Runs `work` between two batches, once the position is at `id` or beyond: no event of this queue is relayed
     * meanwhile. Work that does not end within a minute is given up: its signal aborts, and the relay continues.
     */
    pauseAt: <T>(id: EventId, work: (position: RelayPosition, signal: AbortSignal) => Promise<T>): Promise<T> =>
      pausePoint.pauseWhen(({ at }) => !isNewer(id, eventIdOf(at)), work)
  }
}

function isSamePosition (from: RelayPosition, to: RelayPosition): boolean {
  return compareEventIds(eventIdOf(from.at), eventIdOf(to.at)) === 0 && from.read === to.read && from.lost === to.lost
}
