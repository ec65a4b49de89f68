import { Value } from 'typebox/value'
import { QueueName } from '@tidings/contracts'

/** The default prefix of BullMQ's keys. */
export const BULLMQ_PREFIX = 'bull'

type JobQueue = { name: string, prefix: string }

/**
 * Parses JOB_QUEUES: `name`, or `prefix:name` if producers and workers set another `prefix` than BullMQ's default. A
 * prefix may contain colons and braces, a name no colon.
 */
export function jobQueuesOf (text: string): JobQueue[] {
  const entries = text.split(',').map(entry => entry.trim()).filter(Boolean)
  const queues = entries.map(entry => {
    const colon = entry.lastIndexOf(':')
    return { name: entry.slice(colon + 1), prefix: colon < 0 ? BULLMQ_PREFIX : entry.slice(0, colon) }
  })
  return queues.filter((queue, i) => queues.findIndex(other => keyOf(other) === keyOf(queue)) === i)
}

/** The faults of the queues. In a Cluster all keys of a queue must be in one slot, by a hash tag. */
export function queueFaults (queues: JobQueue[], { isCluster }: { isCluster: boolean }): string[] {
  if (queues.length === 0) return ['JOB_QUEUES must contain a queue']
  return queues.flatMap(({ name, prefix }, i) => {
    if (!isQueueName(name)) return [`JOB_QUEUES: "${name}" is not a valid queue name`]
    if (!/^[^\s,]+$/.test(prefix)) return [`JOB_QUEUES: "${prefix}" is not a valid queue prefix`]
    if (queues.findIndex(other => other.name === name) !== i) {
      return [`JOB_QUEUES: the queue "${name}" has two prefixes, which would mix up its jobs`]
    }
    if (isCluster && !hasHashTag(`${prefix}:${name}`)) {
      const fix = `write {${prefix}}:${name}, and give producers and workers prefix: '{${prefix}}'`
      return [`JOB_QUEUES: in a Redis Cluster the queue "${name}" needs a hash tag: ${fix}`]
    }
    return []
  })
}

const isQueueName = (text: string): boolean => Value.Check(QueueName, text)
const keyOf = ({ name, prefix }: JobQueue) => `${prefix}:${name}`

/** Redis hashes the text between the first `{` and the next `}`, unless it is empty. */
function hasHashTag (key: string): boolean {
  return /^[^{]*\{[^}]+\}/.test(key)
}
