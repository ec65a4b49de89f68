import type { FlowProducer, JobsOptions, Processor, Queue, WorkerOptions } from 'bullmq'
import type { Redis } from 'ioredis'

/**
 * One transition of BullMQ, by its name in docs/bullmq.md: the actions of a producer or a worker, and the published
 * events of each job by its label, as `<events> = <state in REST>`. An event is its type, `reopened`,
 * `progress(<JSON>)` or `failed(<reason>)`; the state `gone` means that there is no row.
 */
export type Transition = {
  name: string
  /**
   * `idle` has no worker, `busy` one that runs the functions of `process`; both have jobs of other transitions as well.
   * Any other name is a queue of this transition alone.
   */
  queue: string
  expected: Record<string, string>
  /** Why the Python package cannot do it. */
  notInPython?: string
  /** Resolves with the jobs' ids by label once the transition is done. */
  run: (bench: Bench) => Promise<Record<string, string>>
}

/** The tools of a transition. */
export type Bench = {
  queue: Queue
  /** A shared queue other than the transition's. */
  queueNamed: (name: string) => Queue
  flow: FlowProducer
  redis: Redis
  /** Adds a job of the transition's own name. */
  add: (options?: JobsOptions) => Promise<string>
  /** Sets the function that the worker of `busy` runs for jobs of this transition, or of the given name. */
  process: (processor: Processor, name?: string) => void
  /** A worker of the transition's own queue. */
  work: (processor: Processor, options?: Partial<WorkerOptions>) => Promise<void>
  /** Resolves once an event of a job is published: a hash that is gone before that has no owner. */
  seen: (jobId: string) => Promise<void>
  /** Resolves once a job of any queue has these published events. */
  published: (jobId: string, events: string) => Promise<void>
}
