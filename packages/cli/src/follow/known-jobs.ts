import type { JobEvent, JobSummary } from 'tidings'

/** What is known of a job, and whether it is among those that are shown. */
export interface KnownJob { job: JobSummary, isShown: boolean }

/** Jobs beyond it are forgotten, those that have not changed for the longest time first. */
const MAX_IDS = 10_000

/** The jobs that a list has seen. Ids of jobs that others add repeat in several queues. */
export function createKnownJobs () {
  const byId = new Map<string, KnownJob[]>()
  const isSame = (a: JobSummary, b: JobSummary) => a.queue === b.queue

  return {
    get: (job: JobSummary) => byId.get(job.id)?.find(known => isSame(known.job, job)),
    /** The job that an event is about; events of states have no queue. */
    of: (event: JobEvent) => byId.get(event.jobId)?.find(({ job: { queue, name } }) =>
      event.type === 'state' ? name === event.name : queue === event.queue),
    set (known: KnownJob): void {
      const { job } = known
      const others = byId.get(job.id)?.filter(other => !isSame(other.job, job)) ?? []
      byId.delete(job.id)
      byId.set(job.id, [...others, known])
      const [oldest] = byId.keys()
      if (byId.size > MAX_IDS && oldest !== undefined) byId.delete(oldest)
    },
    all: () => [...byId.values()].flat()
  }
}
