import { TidingsError, type Gap, type Job, type JobEvent, type JobProgressEvent, type JobSummary } from 'tidings'
import type { ServerTools } from '../command.ts'
import { EXIT, exitCodeOf } from '../failure.ts'
import { MAX_PAGE } from '../limit.ts'
import { firstOf } from '../output.ts'
import { sleep } from '../sleep.ts'
import { isNewer } from '../text.ts'
import { matches, mayMatch, type JobFilter } from './job-filter.ts'
import { createJobLines } from './job-lines.ts'
import { createKnownJobs } from './known-jobs.ts'

/** Pause before a request that may succeed later is sent again. */
const RETRY_MS = 1000

type FollowTools = Pick<ServerTools<{}>, 'client' | 'out' | 'signal'>

/**
 * Lists jobs, the newest last, and then prints a line for each that comes or changes, until it is interrupted. Events
 * say which job has changed, REST says how it stands. The list is read once the events are complete, and each line is
 * newer than the one before of its job: so no change is lost or shown twice, whatever happens to the connection.
 */
export async function followJobs (tools: FollowTools, filter: JobFilter, limit: number): Promise<void> {
  const { client, out, signal } = tools
  const { list, get } = createReader(tools, filter, limit)
  const known = createKnownJobs()
  const events = client.events({
    signal, onStatus: ({ state, reason }) => { if (state === 'recovering') out.note(`reconnecting: ${reason ?? ''}`) }
  })
  await events.ready()
  const first = await list(events.cursor)
  const lines = createJobLines(out, first)
  for (const job of first) add(job, true)
  out.note('waiting for changes')
  try {
    for await (const event of events) await (event.type === 'gap' ? catchUp(event) : take(event))
  } finally {
    lines.close()
  }

  async function take (event: JobEvent): Promise<void> {
    const before = known.of(event)
    if (before && !isNewer(event.eventId, before.job.lastEventId)) return
    if (before && event.type === 'progress') {
      const job = withProgress(before.job, event)
      known.set({ ...before, job })
      if (before.isShown) lines.printProgress(job)
    } else if (before?.isShown || mayMatch(filter, event)) {
      const queue = before?.job.queue ?? (event.type === 'state' ? filter.queue : event.queue)
      const job = await get(event.jobId, queue, event.eventId)
      if (job) add(summaryOf(job), matches(filter, job))
    }
  }

  /** Events are missing: looks again at what is listed, and at what was shown and had not ended. */
  async function catchUp ({ from, to }: Gap): Promise<void> {
    out.note(`events after ${from} up to ${to} are not held any more: reading the list again`)
    const hasEnded = ({ state }: JobSummary) => state === 'completed' || state === 'failed'
    const open = known.all().filter(({ job, isShown }) => isShown && !hasEnded(job))
    for (const job of await list(to)) add(job, true)
    for (const { job } of open) {
      if (known.get(job)?.job !== job) continue // it was in the list, and has changed
      const now = await get(job.id, job.queue, to)
      if (now) add(summaryOf(now), matches(filter, now))
    }
  }

  /** Prints a job that has changed, if it is among those that are listed, or was until now. */
  function add (job: JobSummary, isShown: boolean): void {
    const before = known.get(job)
    if (before && !isNewer(job.lastEventId ?? '0-0', before.job.lastEventId)) return
    known.set({ job, isShown })
    if (isShown || before?.isShown) lines.print(job)
  }
}

/** Requests that go on for as long as they may succeed later. */
function createReader ({ client, out, signal }: FollowTools, filter: JobFilter, limit: number) {
  async function patiently<T> (ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await ask()
      } catch (err) {
        const isTransient = err instanceof TidingsError && exitCodeOf(err) === EXIT.unreachable
        if (!isTransient) throw err
        out.note(`asking again: ${err.message}`)
        const ms = Math.max(RETRY_MS, err.retryAfterMs ?? 0)
        await sleep(ms, signal)
      }
    }
  }

  return {
    /** The newest jobs that match, the newest last, as they stand after an event or later. */
    list: async (after: string | undefined): Promise<JobSummary[]> => {
      const query = { ...filter, ...(after && { after }), limit: Math.min(limit, MAX_PAGE), signal }
      return (await patiently(async () => await firstOf(client.jobs.list(query), limit))).reverse()
    },
    /** A job as it stands after an event or later; undefined where it is gone. */
    get: async (id: string, queue: string | undefined, after: string): Promise<Job | undefined> => {
      return await patiently(async () => await client.jobs.get(id, { queue, after, signal })).catch((err: unknown) => {
        if (exitCodeOf(err) === EXIT.notFound) return undefined
        throw err
      })
    }
  }
}

function withProgress (job: JobSummary, { eventId, progress, progressTruncated }: JobProgressEvent): JobSummary {
  const { progressTruncated: _, ...rest } = job
  return { ...rest, lastEventId: eventId, progress, ...(progressTruncated && { progressTruncated }) }
}

/** What of a job a list has. */
function summaryOf (job: Job): JobSummary {
  const { id, name, queue, state, progress, progressTruncated, timestamp, lastEventId } = job
  return { id, name, queue, state, timestamp, lastEventId, progress, ...(progressTruncated && { progressTruncated }) }
}
