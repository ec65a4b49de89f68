import type { JobState } from './job.ts'

type EventTypeSpec = {
  /** The state of the job after the event; undefined where the event leaves it, or removes the job. */
  state: JobState | undefined
  /** Whether the event ends the job: after it only an event that opens the job again is published. */
  isFinal: boolean
  /** The event that the owner's clients receive, if any. */
  socket: 'job:progress' | 'job:completed' | 'job:failed' | 'job:state' | undefined
  /** Whether webhooks receive it. */
  webhook: boolean
}

/**
 * All types of job events. The lists and types of the other modules derive from this table, and switches over a type
 * end in `satisfies never`: once a type is added here, the compiler names each place that must handle it.
 */
export const EVENT_TYPES = {
  added: { state: 'waiting', isFinal: false, socket: undefined, webhook: false },
  waiting: { state: 'waiting', isFinal: false, socket: 'job:state', webhook: false },
  delayed: { state: 'delayed', isFinal: false, socket: 'job:state', webhook: false },
  active: { state: 'active', isFinal: false, socket: 'job:state', webhook: false },
  progress: { state: undefined, isFinal: false, socket: 'job:progress', webhook: true },
  completed: { state: 'completed', isFinal: true, socket: 'job:completed', webhook: true },
  failed: { state: 'failed', isFinal: true, socket: 'job:failed', webhook: true },
  replaced: { state: undefined, isFinal: true, socket: undefined, webhook: false }
} as const satisfies Record<string, EventTypeSpec>

export type JobEventType = keyof typeof EVENT_TYPES

/** The types whose specification has a value in a field: `TypesWith<'webhook', true>`. */
type TypesWith<Field extends keyof EventTypeSpec, Value> = {
  [Type in JobEventType]: typeof EVENT_TYPES[Type][Field] extends Value ? Type : never
}[JobEventType]

/** The types of events that webhooks receive. */
export type DeliveredEventType = TypesWith<'webhook', true>
/** The Socket.IO events of jobs. */
export type JobSocketEvent = NonNullable<typeof EVENT_TYPES[JobEventType]['socket']>

export const JOB_EVENT_TYPES = Object.keys(EVENT_TYPES) as JobEventType[]
export const DELIVERED_EVENT_TYPES = JOB_EVENT_TYPES.filter(type => EVENT_TYPES[type].webhook) as DeliveredEventType[]

/** Whether an event of this type is the end of a job that its owner receives. */
export function isEnd (type: JobEventType): boolean {
  return EVENT_TYPES[type].isFinal && EVENT_TYPES[type].socket !== undefined
}

/** The state of a job after an event of this type; undefined where it leaves the state as it is, or removes the job. */
export function stateAfter (type: JobEventType): JobState | undefined {
  return EVENT_TYPES[type].state
}
