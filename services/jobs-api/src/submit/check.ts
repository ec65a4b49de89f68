import type { NewJob } from '@tidings/contracts'
import { invalidInput, targetOf, type EgressRules, type InputFault } from '@tidings/service-kit'

/** Deeper data can be parsed here, but neither Postgres nor every worker's JSON parser accepts it. */
const MAX_DEPTH = 64

type Rules = {
  /** The queues that are relayed. */
  queues: string[]
  /** The addresses that a webhookUrl may have. */
  egress: EgressRules
}

/**
 * Refuses faults that a schema cannot express: a queue that is not relayed, data nested too deep, a webhookUrl that the
 * dispatcher would never post to, a webhookEventType without one. The error lists all faults of all jobs; `path`
 * returns the path of a job in the body.
 */
export function checkJobs (jobs: NewJob[], rules: Rules, path: (index: number) => string): void {
  const errors = jobs.flatMap((job, index) =>
    faultsOf(job, rules).map(fault => ({ ...fault, path: `${path(index)}.${fault.path}` })))
  if (errors.length > 0) throw invalidInput(errors)
}

function faultsOf ({ queue, data, webhookUrl, webhookEventType }: NewJob, { queues, egress }: Rules): InputFault[] {
  const faults: InputFault[] = []
  if (queue !== undefined && !queues.includes(queue)) {
    faults.push({ path: 'queue', message: `must be one of: ${queues.join(', ')}` })
  }
  if (isDeeperThan(MAX_DEPTH, data)) {
    faults.push({ path: 'data', message: `must not be nested deeper than ${MAX_DEPTH} levels` })
  }
  const urlFault = webhookUrl === undefined ? undefined : targetOf(webhookUrl, egress).fault
  if (urlFault) faults.push({ path: 'webhookUrl', message: urlFault })
  if (webhookEventType !== undefined && webhookUrl === undefined) {
    faults.push({ path: 'webhookEventType', message: 'needs a webhookUrl' })
  }
  return faults
}

function isDeeperThan (levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some(inner => isDeeperThan(levels - 1, inner))
}
