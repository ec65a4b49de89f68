import { setTimeout as sleep } from 'node:timers/promises'
import type { Job, JobTimeline } from '@tidings/contracts'
import { compareIds, type Recorder } from '../channels/recorder.ts'
import type { WebhookRecorder } from '../channels/webhook.ts'
import type { SentJob } from '../load/load.ts'
import type { Rest } from '../load/rest.ts'
import { endsOf, hasEndOrGap, lossFindings } from './after-loss.ts'
import { addFindings, noFindings, type Findings } from './findings.ts'
import { matchEvents } from './match-events.ts'
import { standingFaults, timelineEvents } from './standing.ts'
import type { Expected, Truth } from './truth.ts'
import { REMOVED } from './values.ts'

const SETTLE_POLL_MS = 200
/** REST is read for so many jobs at a time. */
const READERS = 6

/** A user with everything that observes the events of this user. */
export interface Observer { user: string, rest: Rest, sessions: Recorder[], webhook: WebhookRecorder }

export interface CheckOptions {
  truth: { read: () => Promise<Truth> }
  observers: Observer[]
}

export interface Check {
  jobs: SentJob[]
  /** Whether failing endpoints explain that progress was not delivered. */
  isProgressSuperseded: boolean
  /** Redis lost data: until then (`performance.now()`) what was sent may be concerned. */
  lostUntil: number | undefined
  /** Postgres lost data: a request that was repeated with its key may have made a job that nobody knows of. */
  mayHaveTwice?: boolean
  timeoutMs: number
}

export interface Checked extends Findings {
  /** The number of events that users had to receive. */
  events: number
}

const onSockets = (type: Expected['type']) => type !== 'added'
const onWebhooks = (type: Expected['type']) => ['progress', 'completed', 'failed'].includes(type)
const inTimeline = (type: Expected['type']) => type !== 'progress'
const isFinal = (type: string | undefined) => type === 'completed' || type === 'failed'

const CANCELLED: Expected = { type: 'failed', ms: 0, value: REMOVED, opens: false }

/** Compares what users received and read with what BullMQ recorded. */
export function createChecker ({ truth, observers }: CheckOptions) {
  const observerOf = (user: string) => observers.find(observer => observer.user === user) as Observer
  /** Failures of jobs that were cancelled before BullMQ had accepted them, which it does not record. */
  const cancelledBefore = new Map<string, Expected>()
  /** The states of jobs that were there when Redis lost data, as REST shows them. */
  const afterLoss = new Map<string, string>()
  const isConcerned = ({ sentAt }: SentJob, { lostUntil = -Infinity }: Check) => sentAt < lostUntil

  function expectedOf (recorded: Truth, job: SentJob): Expected[] {
    const { id } = job
    const before = cancelledBefore.get(id) ?? (wasAddedAfterCancel(job, recorded) ? CANCELLED : undefined)
    return [...before ? [before] : [], ...recorded.get(id) ?? []]
  }

  /** A job that was cancelled before BullMQ had accepted it, and was added later: by a retry, or by a late command. */
  function wasAddedAfterCancel ({ id, user, isCancelled }: SentJob, recorded: Truth): boolean {
    if (!isCancelled || recorded.get(id)?.[0]?.type !== 'added') return false
    return observerOf(user).sessions.some(({ received }) => received.get(id)?.[0]?.type === 'failed')
  }

  /**
   * Waits until everything has arrived that has to; after the timeout the comparison names what has not. `all` are all
   * jobs of the run so far; jobs that nobody sent are added to both lists, where there may be any.
   */
  async function settle (check: Check, all: SentJob[]): Promise<void> {
    const { jobs, isProgressSuperseded, mayHaveTwice = false, timeoutMs } = check
    const deadline = Date.now() + timeoutMs
    let open = jobs.filter(job => !isConcerned(job, check))
    let concerned = jobs.filter(job => isConcerned(job, check))
    for (; concerned.length > 0 && Date.now() < deadline; await sleep(SETTLE_POLL_MS)) {
      const before = concerned
      concerned = []
      for (const job of before) if (!await hasEndedEverywhere(job)) concerned.push(job)
    }
    for (let hasUnknown = mayHaveTwice; (open.length > 0 || hasUnknown) && Date.now() < deadline;
      await sleep(SETTLE_POLL_MS)) {
      const recorded = await truth.read()
      if (mayHaveTwice) {
        const { found, isEnd } = await findUnsent(recorded, all)
        for (const list of [open, jobs, all]) list.push(...found)
        hasUnknown = !isEnd
      }
      for (const job of open) if (!recorded.has(job.id)) await noteCancelledBefore(job)
      open = open.filter(job => {
        const expected = expectedOf(recorded, job)
        if (!isFinal(expected.at(-1)?.type)) return true
        return channelFindings(job, { expected, ids: new Map(), isProgressSuperseded }).lost.length > 0
      })
    }
  }

  /** The jobs that BullMQ has and nobody sent, by their owners, and whether these are all of them. */
  async function findUnsent (recorded: Truth, all: readonly SentJob[]): Promise<{ found: SentJob[], isEnd: boolean }> {
    const known = new Set(all.map(({ id }) => id))
    const unknown = [...recorded.keys()].filter(id => !known.has(id))
    const found: SentJob[] = []
    for (const id of unknown) {
      for (const { user, rest } of observers) {
        const { status, body } = await rest<Job>(`/jobs/${id}`, { expected: [200, 404] })
        if (status === 200) found.push({ id, queue: body.queue, user, sentAt: performance.now() })
      }
    }
    return { found, isEnd: found.length === unknown.length }
  }

  /** After a loss: every channel has the end of the job, or nobody knows the job. */
  async function hasEndedEverywhere (job: SentJob): Promise<boolean> {
    const channels = channelsOf(job)
    if (channels.every(channel => hasEndOrGap(channel, job, channels))) return true
    const isWithoutEnd = channels.every(channel => endsOf(channel, job).length === 0)
    return job.isForeign === true && isWithoutEnd && (await read(job, '')).status === 404
  }

  function channelsOf ({ user }: SentJob) {
    const { sessions, webhook } = observerOf(user)
    return [...sessions, webhook]
  }

  async function checkAfterLoss (job: SentJob): Promise<Findings> {
    const channels = channelsOf(job)
    const last = channels.flatMap(channel => endsOf(channel, job)).map(({ eventId }) => eventId)
      .toSorted(compareIds).at(-1)
    const { body: shown } = await read<Job>(job, '', last && `&after=${last}`)
    afterLoss.set(job.id, shown?.state ?? 'none')
    return lossFindings({ job, channels, shown })
  }

  async function noteCancelledBefore (job: SentJob): Promise<void> {
    const { body } = await read<Job>(job, '')
    // Recorded meanwhile, where BullMQ had accepted it.
    const isUnrecorded = !(await truth.read()).has(job.id)
    if (isUnrecorded && body?.state === 'failed' && body.failedReason === 'Cancelled by user') {
      cancelledBefore.set(job.id, CANCELLED)
    }
  }

  async function read<Body> (
    { id, queue, user }: SentJob, path: string, query = ''
  ): Promise<{ status: number, body: Body | undefined }> {
    const { status, body } = await observerOf(user).rest<Body>(`/jobs/${id}${path}?queue=${queue}${query}`, {
      expected: [200, 404]
    })
    return { status, body: status === 200 ? body : undefined }
  }

  interface JobCheck { expected: Expected[], ids: Map<number, string>, isProgressSuperseded: boolean }

  function channelFindings ({ id, user }: SentJob, { expected, ids, isProgressSuperseded }: JobCheck): Findings {
    const found = noFindings()
    const { sessions, webhook } = observerOf(user)
    for (const { channel, received } of sessions) {
      addFindings(found, matchEvents({
        subject: `${channel} of ${user}, job ${id}`, expected, carries: onSockets, received: received.get(id) ?? [], ids
      }))
    }
    addFindings(found, matchEvents({
      subject: `webhook of ${user}, job ${id}`,
      expected,
      carries: onWebhooks,
      received: webhook.received.get(id) ?? [],
      ids
    }))
    if (isProgressSuperseded) found.lost = found.lost.filter(line => !/^webhook .*: progress /.test(line))
    return found
  }

  /** Everything of one job: each channel, its state in REST, and its timeline. */
  async function checkJob (job: SentJob, options: Omit<JobCheck, 'ids'>): Promise<Findings> {
    const { expected } = options
    const subject = `REST of ${job.user}, job ${job.id}`
    const ids = new Map<number, string>()
    const found = channelFindings(job, { ...options, ids })
    const lastEventId = [...ids.values()].toSorted(compareIds).at(-1)
    const { body: shown } = await read<Job>(job, '', lastEventId && `&after=${lastEventId}`)
    if (shown === undefined) {
      found.lost.push(`${subject}: 404`)
      return found
    }
    const faults = standingFaults(shown, expected)
    if (lastEventId && shown.lastEventId !== lastEventId) {
      faults.push(`lastEventId is ${shown.lastEventId} instead of ${lastEventId}`)
    }
    found.wrong.push(...faults.map(fault => `${subject}: ${fault}`))
    const { body: timeline = { events: [] } } = await read<JobTimeline>(job, '/events')
    const completed = expected.findLast(({ type }) => type === 'completed')
    addFindings(found, matchEvents({
      subject: `timeline of ${job.user}, job ${job.id}`,
      expected,
      carries: inTimeline,
      received: timelineEvents(timeline, completed?.value),
      ids
    }))
    return found
  }

  /** The faults that the channels recorded by themselves since the last check. */
  function takeChannelFaults ({ lostUntil }: Check): Findings {
    const found = noFindings()
    for (const { sessions, webhook } of observers) {
      for (const { faults } of [...sessions, webhook]) {
        addFindings(found, faults)
        for (const lines of Object.values(faults)) lines.length = 0
      }
    }
    // A session that resumes from a position that Redis has lost is not recovered.
    if (lostUntil !== undefined) found.wrong = found.wrong.filter(line => !line.includes(': not recovered from '))
    return found
  }

  async function checkCounts (jobs: SentJob[], recorded: Truth): Promise<string[]> {
    const faults: string[] = []
    for (const { user, rest } of observers) {
      const wanted: Record<string, number> = {}
      for (const job of jobs.filter(job => job.user === user)) {
        const state = afterLoss.get(job.id) ??
          expectedOf(recorded, job).findLast(({ type }) => type !== 'progress')?.type ?? 'none'
        wanted[state] = (wanted[state] ?? 0) + 1
      }
      const { body } = await rest<Record<string, number>>('/jobs/counts')
      for (const state of ['waiting', 'delayed', 'active', 'completed', 'failed']) {
        if (body[state] !== (wanted[state] ?? 0)) {
          faults.push(`counts of ${user}: ${body[state]} ${state} instead of ${wanted[state] ?? 0}`)
        }
      }
    }
    return faults
  }

  return {
    settle,
    /** Compares these jobs; `all` are all jobs of the run so far, for the counters. */
    async check (check: Check, all: SentJob[]): Promise<Checked> {
      const recorded = await truth.read()
      const found: Checked = { ...noFindings(), events: 0 }
      const jobs = [...check.jobs]
      await Promise.all(Array.from({ length: READERS }, async () => {
        for (let job = jobs.pop(); job !== undefined; job = jobs.pop()) {
          if (isConcerned(job, check)) {
            addFindings(found, await checkAfterLoss(job))
            continue
          }
          const expected = expectedOf(recorded, job)
          found.events += expected.filter(({ type }) => onSockets(type)).length
          addFindings(found, await checkJob(job, { expected, isProgressSuperseded: check.isProgressSuperseded }))
        }
      }))
      addFindings(found, takeChannelFaults(check))
      found.wrong.push(...await checkCounts(all, recorded))
      const known = new Set(all.map(({ id }) => id))
      for (const id of recorded.keys()) if (!known.has(id)) found.wrong.push(`BullMQ has a job ${id} that nobody sent`)
      return found
    }
  }
}
