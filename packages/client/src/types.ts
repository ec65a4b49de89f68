import type { operations } from './openapi.ts'

/** The body of a successful response. */
type ResponseOf<Name extends keyof operations> = operations[Name]['responses'] extends infer All
  ? All[keyof All] extends { content: { 'application/json': infer Body } } ? Body : undefined
  : never

/** The body that a request takes; fields that may be null may be left out as well. */
type BodyOf<Name extends keyof operations> =
  operations[Name] extends { requestBody?: { content: { 'application/json': infer Body } } } ? Body : never

type QueryOf<Name extends keyof operations> =
  operations[Name] extends { parameters: { query?: infer Query } } ? NonNullable<Query> : never

/** A token: its user, its scopes, and when it ends, in milliseconds. */
export type Me = ResponseOf<'getMe'>

export type QueueStates = ResponseOf<'getQueueStates'>
export type DeliveryStates = ResponseOf<'getDeliveryStates'>

export type JobState = Job['state']
/** A job as it stands. */
export type Job<Result = unknown> = Omit<ResponseOf<'getJob'>, 'result'> & { result?: Result }
/** A job in a list. */
export type JobSummary = JobList['jobs'][number]
export type JobList = ResponseOf<'listJobs'>
/** By state. */
export type JobCounts = Exclude<ResponseOf<'countJobs'>, ResponseOf<'getJob'>>
/** Finished jobs over time. */
export type JobStats = ResponseOf<'getJobStats'>
export type JobStatsQuery = QueryOf<'getJobStats'>
export type JobTimeline = ResponseOf<'getJobEvents'>
export type JobTimelineEntry = JobTimeline['events'][number]
export type ListJobsQuery = Omit<QueryOf<'listJobs'>, 'status'> & { status?: JobState | JobState[] | undefined }
export type NewJob = BodyOf<'submitJob'>
export type SubmittedJob = ResponseOf<'submitJob'>
export type SubmittedJobs = ResponseOf<'submitJobs'>

export type ResubmittedJob = ResponseOf<'resubmitJob'>

/** Retries, cancels or redelivers what its filter, or its ids, name. */
export type NewBulk = BodyOf<'startBulk'>
export type StartedBulk = Extract<ResponseOf<'startBulk'>, { bulkId: string }>
/** A bulk action, and how far it is. */
export type Bulk = ResponseOf<'getBulk'>
/** How far a bulk action is, as it is pushed. */
export type BulkProgress = Pick<Bulk, 'bulkId' | 'action' | 'state' | 'matched' | 'done' | 'failed' | 'skipped'>

export type Webhook = ResponseOf<'getWebhook'>
/** How the endpoint of a webhook answers, the same at all replicas. */
export type WebhookHealth = Webhook['health']
/** A webhook with its secret: shown once. */
export type CreatedWebhook = ResponseOf<'createWebhook'>
export type NewWebhook = BodyOf<'createWebhook'>
export type WebhookChange = BodyOf<'updateWebhook'>
export type WebhookSecret = ResponseOf<'getWebhookSecret'>
export type RotatedSecret = ResponseOf<'rotateWebhookSecret'>
export type WebhookTest = ResponseOf<'testWebhook'>
export type NewReplay = BodyOf<'replayWebhook'>
export type StartedReplay = operations['replayWebhook']['responses'][202]['content']['application/json']
/** The response to a replay with `dryRun`. */
export type ReplayMatches = operations['replayWebhook']['responses'][200]['content']['application/json']
/** A replay with what became of its deliveries. */
export type Replay = ResponseOf<'getReplay'>
export type ReplayList = ResponseOf<'listReplays'>
export type ReplaySummary = ReplayList['replays'][number]
export type ListReplaysQuery = QueryOf<'listReplays'>
export type LegacyWebhook = ResponseOf<'getLegacyWebhook'>
export type NewLegacyWebhook = BodyOf<'putLegacyWebhook'>
export type DeliveryList = ResponseOf<'listDeliveries'>
export type DeliverySummary = DeliveryList['deliveries'][number]
export type ListDeliveriesQuery = QueryOf<'listDeliveries'>
export type ListAllDeliveriesQuery = QueryOf<'listAllDeliveries'>
/** The webhooks that the events of a job went to. */
export type JobDeliveries = ResponseOf<'listJobDeliveries'>
export type WebhookStats = ResponseOf<'getWebhookStats'>
export type WebhookStatsQuery = QueryOf<'getWebhookStats'>
/** A delivery with its payload and attempts. */
export type Delivery = ResponseOf<'getDelivery'>
export type Redelivery = ResponseOf<'redeliver'>

interface EventHead {
  /** The same in every channel, in polling and in webhooks (`webhook-id`). */
  eventId: string
  jobId: string
  name: string
  timestamp: number
}

interface OwnedEventHead extends EventHead {
  queue: string
  userId: number | string
}

export interface JobProgressEvent extends OwnedEventHead {
  type: 'progress'
  /** Any JSON that the worker reported. */
  progress: unknown
  /** The progress is larger than 64 KiB: `jobs.get` has it. */
  progressTruncated?: true
}

export interface JobCompletedEvent extends OwnedEventHead {
  type: 'completed'
  result: unknown
  /** The result is larger than 64 KiB: `jobs.get` has it. */
  resultTruncated?: true
}

export interface JobFailedEvent extends OwnedEventHead {
  type: 'failed'
  error: string
  /** The error is larger than 64 KiB, these are its first: `jobs.get` has it. */
  errorTruncated?: true
}

export interface JobStateEvent extends EventHead {
  type: 'state'
  state: 'waiting' | 'delayed' | 'active'
}

export type JobEvent = JobProgressEvent | JobCompletedEvent | JobFailedEvent | JobStateEvent

/** Events after `from`, up to and including `to`, may be missing: the server no longer holds them. */
export interface Gap {
  type: 'gap'
  from: string
  to: string
}
