import { Value } from 'typebox/value'
import { QueueName } from '@tidings/contracts'

/** What BullMQ's keys begin with unless a producer says otherwise. */
export const BULLMQ_PREFIX = 'bull'

export type JobQueue = { name: string, prefix: string }

/**
 * The queues of JOB_QUEUES: `name`, or `prefix:name` where producers and workers
 * give BullMQ another `prefix` than its own. A prefix may hold colons and braces, a name no colon.
 */
export function jobQueuesOf (text: string): JobQueue[] {
  const queues = text.split(',').map(entry => entry.trim()).filter(Boolean).map(entry => {
    const colon = entry.lastIndexOf(':')
    return { name: entry.slice(colon + 1), prefix: colon < 0 ? BULLMQ_PREFIX : entry.slice(0, colon) }
  })
  return queues.filter((queue, i) => queues.findIndex(other => keyOf(other) === keyOf(queue)) === i)
}

/** What is wrong with them. In a Cluster all keys of a queue have to be in one slot: a hash tag sees to that. */
export function queueFaults (queues: JobQueue[], { isCluster }: { isCluster: boolean }): string[] {
  if (queues.length === 0) return ['JOB_QUEUES must name a queue']
  return queues.flatMap(({ name, prefix }, i) => {
    if (!isQueueName(name)) return [`JOB_QUEUES: "${name}" is no name of a queue`]
    if (!/^[^\s,]+$/.test(prefix)) return [`JOB_QUEUES: "${prefix}" is no prefix of a queue`]
    if (queues.findIndex(other => other.name === name) !== i) return [`JOB_QUEUES: the queue "${name}" has two prefixes, and its jobs would be told apart by nothing`]
    if (isCluster && !hasHashTag(`${prefix}:${name}`)) {
      return [`JOB_QUEUES: in a Redis Cluster the queue "${name}" needs a hash tag: write {${prefix}}:${name}, and give producers and workers prefix: '{${prefix}}'`]
    }
    return []
  })
}

const isQueueName = (text: string): boolean => Value.Check(QueueName, text)
const keyOf = ({ name, prefix }: JobQueue) => `${prefix}:${name}`

/** Redis hashes what stands between the first `{` and the next `}`, where that is something. */
function hasHashTag (key: string): boolean {
  return /^[^{]*\{[^}]+\}/.test(key)
}
