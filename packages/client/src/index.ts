/// <reference lib="esnext.disposable" preserve="true" />
export type { BulkActions, WatchBulkOptions } from './bulk.ts'
export { createClient, type Client, type ClientOptions } from './client.ts'
export { TidingsError, type ErrorCode, type Problem } from './errors.ts'
export type { Events, EventsOptions } from './events.ts'
export type { Feed } from './feed.ts'
export { JobFailedError } from './job-failed-error.ts'
export type {
  CompletedJob, DetailedTimeline, GetJobOptions, GetOptions, JobHandle, JobOptions, Jobs, JobSchemas, ResubmitOptions,
  ResultOptions, SubmitOptions, WaitOptions
} from './jobs.ts'
export type { Pages, RequestOptions } from './routes.ts'
export type { InputOf, OutputOf, Schema } from './schema.ts'
export type { Channel } from './stream/event-stream.ts'
export type { Status } from './stream/status.ts'
export type { WebSocketConstructor, WebSocketLike } from './stream/websocket.ts'
export type { TokenReason, TokenSource } from './token.ts'
export type * from './types.ts'
export type { WatchOptions } from './job-watcher.ts'
export type { JobWatch } from './watch.ts'
export type { Deliveries, Webhooks } from './webhooks-api.ts'
