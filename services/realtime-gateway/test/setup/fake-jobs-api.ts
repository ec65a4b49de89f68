import {
  createTokenVerifier, encodeFoundJobs, FIND_JOBS_PATH, jsonText, type FindJobs, stateAfter, type Job, type JobEvent
} from '@tidings/contracts'
import { createStreamWriter, formatEventId, parseEventId, isNewer, ZERO, type EventId } from '@tidings/job-events'
import { targetResolver } from '@tidings/service-kit'
import { startReceiver, TEST_SECRET, until, type Receiver, type TestContext, type TestRedis } from '@tidings/testing'

const resolveTarget = targetResolver('jobs:read')

export type Jobs = Awaited<ReturnType<typeof startFakeJobsApi>>
type EventInput = {
  userId: string, jobId: string, queue?: string, name?: string, progress?: unknown, result?: unknown
} & Omit<Partial<JobEvent>, 'progress' | 'result'>

/**
 * The rest of the system as a gateway sees it: events come from the stream, and
 * `POST /internal/find-jobs` answers over HTTP what they add up to.
 */
export async function startFakeJobsApi (t: TestContext, redis: TestRedis) {
  const stream = createStreamWriter(redis.client())
  const verify = createTokenVerifier({ TOKEN_SECRET: TEST_SECRET })
  const jobs = new Map<string, Job & { userId: string }>()
  let projected: EventId = ZERO
  let tail = Promise.resolve()
  await stream.open()

  const receiver = await startReceiver(t, async ({ method, url, headers, json }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://jobs-api')
    if (method !== 'POST' || pathname !== FIND_JOBS_PATH) return 404
    const identity = await verify(headers.authorization?.replace('Bearer ', ''))
    const { ownerId: userId } = resolveTarget(identity, searchParams.get('userId'))
    const { after: least = '0-0', jobs: wanted } = json as FindJobs
    const after = parseEventId(least) ?? ZERO
    // As jobs-api does: a gateway may have an event before its appender has the reply.
    const what = `the event ${formatEventId(after)}`
    if (!await until(() => !isNewer(after, projected), { what, timeoutMs: 1500 }).catch(() => false)) return 503
    response.end(encodeFoundJobs(wanted.map(({ jobId, queue }) => {
      const job = jobs.get(keyOf({ userId, jobId }))
      if (!job || job.queue !== (queue ?? job.queue)) return undefined
      const { userId: _, ...shown } = job
      return JSON.stringify(shown)
    })))
  })

  /** Appends events and returns their ids. */
  function publish (...events: EventInput[]): Promise<string[]> {
    const appended = tail.then(() => append(events))
    tail = appended.then(() => {}, () => {})
    return appended
  }

  async function append (events: EventInput[]): Promise<string[]> {
    const whole = events.map(wholeEvent)
    const from = await stream.position('default')
    const to = { at: `${from.read + 1}-0`, read: from.read + events.length, lost: 0 }
    const outcome = await stream.append({ queue: 'default', from, to, events: whole, minimumId: ZERO })
    if (!outcome.moved) throw new Error('another appender was faster')
    projected = outcome.last
    return whole.map((event, i) => {
      const id = formatEventId({ ms: outcome.first.ms, seq: outcome.first.seq + i })
      note(event, id)
      return id
    })
  }

  function note (event: JobEvent, eventId: string) {
    const job = jobs.get(keyOf(event)) ?? jobOf(event)
    jobs.set(keyOf(event), {
      ...job,
      state: stateAfter(event.type) ?? job.state,
      ...(event.type === 'progress' && { progress: JSON.parse(event.progress ?? '0') }),
      ...(event.type === 'completed' && { result: JSON.parse(event.result ?? 'null') }),
      lastEventId: eventId
    })
  }

  return { url: receiver.url, receiver: receiver as Receiver, publish, stream, jobs }
}

const keyOf = ({ userId, jobId }: { userId: string, jobId: string }) => `${userId} ${jobId}`

function wholeEvent ({
  type = 'progress', queue = 'default', name = 'report', progress, result, ...rest
}: EventInput): JobEvent {
  const values = {
    ...(progress !== undefined && { progress: jsonText(progress) }),
    ...(result !== undefined && { result: jsonText(result) })
  }
  return { v: 1, type, queue, name, timestamp: Date.now(), ...rest, ...values }
}

function jobOf ({ jobId, queue, name, userId, timestamp }: JobEvent): Job & { userId: string } {
  return {
    id: jobId,
    userId,
    queue,
    name,
    state: 'waiting',
    progress: 0,
    attempts: { made: 0, max: 1 },
    timestamp: { created: timestamp, started: null, finished: null },
    lastEventId: null
  }
}
