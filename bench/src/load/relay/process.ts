// Replaces the relay where one service is measured alone: appends job events to the stream as the relay does.
import { Redis } from 'ioredis'
import { jsonText, type JobEvent } from '@tidings/contracts'
import { createStreamWriter } from '@tidings/job-events'
import type { StreamWriter, RelayPosition } from '@tidings/job-events'
import { now } from '../../clock.ts'
import { marked } from '../mark.ts'
import { serve } from '../serve.ts'

const QUEUE = 'bench'
const BATCH = 200 // as the relay's
const MINIMUM_ID = { ms: 0, seq: 0 }

export interface Append {
  run: number
  events: number
  /** How many users get the events in turn. Each has one job. */
  users: number
  firstUser?: number
  type?: 'progress' | 'completed'
}

let redis: Redis | undefined
let stream: StreamWriter | undefined

const commands = {
  connect: async (url: string) => {
    redis?.disconnect()
    redis = new Redis(url)
    stream = createStreamWriter(redis)
    await stream.open()
  },
  append: async (load: Append) => {
    if (stream === undefined) throw new Error('connect first')
    let position = await stream.position(QUEUE)
    for (let seq = 0; seq < load.events; seq += BATCH) {
      const events = Array.from(
        { length: Math.min(BATCH, load.events - seq) },
        (_, index) => eventOf(load, seq + index)
      )
      const to = after(position, events.length)
      const outcome = await stream.append({ queue: QUEUE, from: position, to, events, minimumId: MINIMUM_ID })
      if (!outcome.moved) throw new Error('Another process moved the position of the queue')
      position = to
    }
  }
}

export type RelayCommands = typeof commands

function after ({ read, lost }: RelayPosition, events: number): RelayPosition {
  return { at: `${read + events}-0`, read: read + events, lost }
}

function eventOf ({ run, users, firstUser = 1, type = 'progress' }: Append, seq: number): JobEvent {
  const job = seq % users
  const payload = jsonText(marked({ run, seq, job, at: now() }))
  return {
    v: 1,
    type,
    queue: QUEUE,
    jobId: type === 'progress' ? `${run}-${job}` : `${run}-${seq}`, // a job completes once
    name: 'bench',
    userId: String(firstUser + job),
    timestamp: Date.now(),
    ...(type === 'progress' ? { progress: payload } : { result: payload })
  }
}

serve(commands)
