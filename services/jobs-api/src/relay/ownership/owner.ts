import type { JobWebhookEventType } from '@tidings/contracts'

/** The owner of a job, and the other fields that its events carry. Fixed when the job is first seen. */
export type Owner = {
  userId: string
  name: string
  /** Of adopted jobs: the BullMQ id of the first event that was seen of this incarnation of the job. */
  generation?: string
  /** When the job was created, in milliseconds, and its maximum number of attempts. */
  created?: number
  attempts?: number
  /** Of adopted jobs: the slot in which BullMQ keeps a single pending job; a later job there replaces this one. */
  slot?: string
  /** An earlier job with this id is known; it is gone, however it ended. */
  isReused?: true
  /** Whether a submitted job was cancelled before this `added`. */
  isCancelled?: boolean
  /** The job's own webhookUrl, and the events that it receives: the completion, where nothing else is set. */
  webhookUrl?: string
  webhookEventType?: JobWebhookEventType
}

/** Stands for the owner of a job whose data names no user: its events are not relayed. */
export const UNOWNED = Symbol('unowned')
