import createError from '@fastify/error'
import type { SubmitJob } from '@tidings/contracts'

/** Deeper data could be parsed, but neither Postgres nor every worker's JSON would take it. */
const MAX_DEPTH = 64

const InvalidJob = createError('INVALID_INPUT', 'The request is not valid', 400)

type Fault = { path: string, message: string }

/**
 * Refuses what a schema can't: a queue that nobody relays, data nested too deep.
 * Every fault of every job is named, `path` says where a job stands in the body.
 */
export function checkJobs (jobs: SubmitJob[], queues: string[], path: (index: number) => string): void {
  const errors = jobs.flatMap((job, index) => faultsOf(job, queues).map(fault => ({ ...fault, path: `${path(index)}.${fault.path}` })))
  if (errors.length > 0) throw Object.assign(new InvalidJob(), { errors })
}

function faultsOf ({ queue, data }: SubmitJob, queues: string[]): Fault[] {
  return [
    ...(queue !== undefined && !queues.includes(queue) ? [{ path: 'queue', message: `must be one of: ${queues.join(', ')}` }] : []),
    ...(isDeeperThan(MAX_DEPTH, data) ? [{ path: 'data', message: `must not be nested deeper than ${MAX_DEPTH} levels` }] : [])
  ]
}

function isDeeperThan (levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some(inner => isDeeperThan(levels - 1, inner))
}
