import type { JobEvent } from 'tidings'
import { VALUE_TEXT } from '../exact-json.ts'

export type PostedEvent = Extract<JobEvent, { type: 'progress' | 'completed' | 'failed' }>

/** The types of events that webhooks receive. */
export const POSTED_TYPES: PostedEvent['type'][] = ['progress', 'completed', 'failed']

/** The body that the webhook dispatcher posts for an event, byte for byte: docs/webhooks.md, "The request". */
export function webhookBody (event: PostedEvent): string {
  const { jobId, name, userId, type } = event
  const head = JSON.stringify({ id: jobId, jobname: name, userId }).slice(0, -1)
  return `${head},${valueOf(event)},"eventType":"${type}"}`
}

function valueOf (event: PostedEvent): string {
  switch (event.type) {
    case 'progress': return `"progress":${textOf(event, event.progress)}${flag('progress', event.progressTruncated)}`
    case 'completed': return `"result":${textOf(event, event.result)}${flag('result', event.resultTruncated)}`
    case 'failed': return `"error":${JSON.stringify(event.error)}${flag('error', event.errorTruncated)}`
    default: return event satisfies never
  }
}

/** The worker's own JSON. */
function textOf (event: PostedEvent & { [VALUE_TEXT]?: string }, value: unknown): string {
  return event[VALUE_TEXT] ?? JSON.stringify(value)
}

const flag = (name: string, isTruncated: true | undefined) => isTruncated ? `,"${name}Truncated":true` : ''
