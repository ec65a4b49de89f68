import type { FlowProducer, JobsOptions, Processor, Queue, WorkerOptions } from 'bullmq'
import type { Redis } from 'ioredis'

/**
 * One transition of BullMQ, by its name in docs/bullmq.md: what a producer or a worker does, and what is published of
 * each job by its label, as `<events> = <state in REST>`. An event is its type, `reopened`, `progress(<JSON>)` or
 * `failed(<reason>)`; the state `gone` means that there is no row.
 */
export type Transition = {
  name: string
  /**
   * `idle` has no worker, `busy` one that runs what `process` names; jobs of others are there at the same time.
   * Anything else is a queue of this transition alone.
   */
  queue: string
  expected: Record<string, string>
  /** Why the Python package cannot do it. */
  notInPython?: string
  /** Resolves with the jobs' ids by label once nothing is left to do. */
  run: (bench: Bench) => Promise<Record<string, string>>
}

/** What a transition works with. */
export type Bench = {
  queue: Queue
  /** A shared queue other than the transition's. */
  queueNamed: (name: string) => Queue
  flow: FlowProducer
  redis: Redis
  /** Adds a job of the transition's own name. */
  add: (options?: JobsOptions) => Promise<string>
  /** What the worker of `busy` does with jobs of this transition, or of the name that is given. */
  process: (processor: Processor, name?: string) => void
  /** A worker of the transition's own queue. */
  work: (processor: Processor, options?: Partial<WorkerOptions>) => Promise<void>
  /** Resolves once something of a job is published: a hash that is gone before names no owner. */
  seen: (jobId: string) => Promise<void>
  /** Resolves once a job of any queue has published this. */
  published: (jobId: string, events: string) => Promise<void>
}
