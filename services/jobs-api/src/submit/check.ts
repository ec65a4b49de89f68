import createError from '@fastify/error'
import type { NewJob } from '@tidings/contracts'
import { targetOf, type EgressRules } from '@tidings/service-kit'

/** Deeper data could be parsed, but neither Postgres nor every worker's JSON would take it. */
const MAX_DEPTH = 64

const InvalidJob = createError('INVALID_INPUT', 'The request is not valid', 400)

type Fault = { path: string, message: string }

type Rules = {
  /** The queues that are relayed. */
  queues: string[]
  /** Where a webhookUrl may point at. */
  egress: EgressRules
}

/**
 * Refuses what a schema can't: a queue that nobody relays, data nested too
 * deep, a webhookUrl that the dispatcher would never post to. Every fault of
 * every job is named, `path` says where a job stands in the body.
 */
export function checkJobs (jobs: NewJob[], rules: Rules, path: (index: number) => string): void {
  const errors = jobs.flatMap((job, index) => faultsOf(job, rules).map(fault => ({ ...fault, path: `${path(index)}.${fault.path}` })))
  if (errors.length > 0) throw Object.assign(new InvalidJob(), { errors })
}

function faultsOf ({ queue, data, webhookUrl }: NewJob, { queues, egress }: Rules): Fault[] {
  const urlFault = webhookUrl === undefined ? undefined : targetOf(webhookUrl, egress).fault
  return [
    ...(queue !== undefined && !queues.includes(queue) ? [{ path: 'queue', message: `must be one of: ${queues.join(', ')}` }] : []),
    ...(isDeeperThan(MAX_DEPTH, data) ? [{ path: 'data', message: `must not be nested deeper than ${MAX_DEPTH} levels` }] : []),
    ...(urlFault ? [{ path: 'webhookUrl', message: urlFault }] : [])
  ]
}

function isDeeperThan (levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some(inner => isDeeperThan(levels - 1, inner))
}
