import { Type, type TSchema } from 'typebox'
import { BulkProgressPayload } from '../bulk.ts'
import { Job } from '../job.ts'
import { JobEvent } from '../job-event.ts'
import {
  AuthErrorPayload, AuthExpiringPayload, AuthRefresh, AuthRefreshAck, AuthRefreshedPayload, CommandErrorPayload,
  DrainingPayload, JobCompletedPayload, JobFailedPayload, JobProgressPayload, JobStatePayload, MalformedPayload,
  SessionEndPayload, SessionPayload, SubscribeErrorPayload, SubscribeJob, SubscribeJobAck, SubscribeOkPayload,
  UnsubscribeJob, UnsubscribeJobAck
} from '../socket.ts'
import { WebhookBody } from '../webhook.ts'

export type Message = {
  /** The event, or the command, as it is on the wire; `<jobId>` stands for the id of the job. */
  name: string
  summary: string
  payload: TSchema
  example: unknown
}

const jobId = '0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17'
const lastEventId = '1640995300000-0'
const head = { eventId: lastEventId, jobId, name: 'resize', queue: 'default', userId: 7, timestamp: 1640995300000 }
const progress = { ...head, progress: 75 }
const completed = { ...head, result: { rows: 42049 } }
const failed = { ...head, error: 'The file has no header' }
const job = (Job as unknown as { examples: unknown[] }).examples[0]
const body = { id: jobId, jobname: 'resize', userId: 7 }

/** What every session receives, over each of the three transports. */
export const SESSION_MESSAGES: Record<string, Message> = {
  session: {
    name: 'session',
    summary: 'Once, after missed events and before live ones; `lastEventId` is the position to resume from',
    payload: SessionPayload,
    example: { userId: 7, recovered: true, lastEventId, expiresAt: 1640998800000 }
  },
  jobState: {
    name: 'job:state',
    summary: 'A job of the user waits, is delayed, or was started',
    payload: JobStatePayload,
    example: { eventId: lastEventId, jobId, name: 'resize', state: 'active', timestamp: 1640995300000 }
  },
  jobProgress: {
    name: 'job:progress', summary: 'A worker reported progress', payload: JobProgressPayload, example: progress
  },
  jobCompleted: {
    name: 'job:completed', summary: 'A job has a result', payload: JobCompletedPayload, example: completed
  },
  jobFailed: {
    name: 'job:failed', summary: 'A job failed for good', payload: JobFailedPayload, example: failed
  },
  bulkProgress: {
    name: 'bulk:progress',
    summary: 'A bulk action advanced, or ended; not sent again: `GET /bulk/:bulkId` shows the whole',
    payload: BulkProgressPayload,
    example: { bulkId: jobId, action: 'retry', state: 'running', matched: 1742, done: 600, failed: 0, skipped: 3 }
  },
  authExpiring: {
    name: 'auth:expiring',
    summary: 'The token of the session expires within 60 s',
    payload: AuthExpiringPayload,
    example: { expiresAt: 1640998800000 }
  },
  serverDraining: {
    name: 'server:draining', summary: 'The replica is about to stop', payload: DrainingPayload, example: {}
  },
  sessionEnd: {
    name: 'session:end',
    summary: 'The last message; `reconnect` is false where only a new token helps',
    payload: SessionEndPayload,
    example: { reason: 'draining', reconnect: true }
  }
}

/** What sessions that take commands receive in addition. */
export const COMMAND_MESSAGES: Record<string, Message> = {
  subscribedProgress: {
    name: 'job:<jobId>:progress',
    summary: 'The same as `job:progress`, for a subscriber of the job',
    payload: JobProgressPayload,
    example: progress
  },
  subscribedCompleted: {
    name: 'job:<jobId>:completed',
    summary: 'The same as `job:completed`, for a subscriber of the job',
    payload: JobCompletedPayload,
    example: completed
  },
  subscribedFailed: {
    name: 'job:<jobId>:failed',
    summary: 'The same as `job:failed`, for a subscriber of the job',
    payload: JobFailedPayload,
    example: failed
  },
  subscribeOk: {
    name: 'subscribe:ok',
    summary: 'The late outcome of a `subscribe:job`, or that of one without an ack',
    payload: SubscribeOkPayload,
    example: { jobId, job, lastEventId, recovered: true }
  },
  subscribeError: {
    name: 'subscribe:error',
    summary: 'A `subscribe:job` without an ack was refused, or is tried again (`retrying`)',
    payload: SubscribeErrorPayload,
    example: { jobId, error: 'not found', retrying: true }
  },
  authRefreshed: {
    name: 'auth:refreshed',
    summary: 'An `auth:refresh` without an ack was accepted',
    payload: AuthRefreshedPayload,
    example: { expiresAt: 1640998800000 }
  },
  authError: {
    name: 'auth:error',
    summary: 'An `auth:refresh` without an ack was refused',
    payload: AuthErrorPayload,
    example: { error: 'token_expired' }
  },
  commandError: {
    name: 'command:error',
    summary: 'Any other command without an ack was refused',
    payload: CommandErrorPayload,
    example: { command: 'unsubscribe:job', error: 'invalid', detail: 'wanted: a job id' }
  }
}

/** What clients send, with the ack that answers it. */
export const COMMANDS: Record<string, Message & { ack: Omit<Message, 'name'> }> = {
  subscribeJob: {
    name: 'subscribe:job',
    summary: 'Asks for the events of a job: its id, or an object that says where to resume',
    payload: SubscribeJob,
    example: { jobId, lastEventId },
    ack: {
      summary: 'The job now; its later events are sent once',
      payload: SubscribeJobAck,
      example: { ok: true, job, lastEventId, recovered: true }
    }
  },
  unsubscribeJob: {
    name: 'unsubscribe:job',
    summary: 'Ends a subscription, or a pending one',
    payload: UnsubscribeJob,
    example: jobId,
    ack: { summary: 'Done', payload: UnsubscribeJobAck, example: { ok: true } }
  },
  authRefresh: {
    name: 'auth:refresh',
    summary: 'A new token of the same user',
    payload: AuthRefresh,
    example: { token: 'eyJhbGciOiJIUzI1NiJ9.…' },
    ack: {
      summary: 'When the new token expires',
      payload: AuthRefreshAck,
      example: { ok: true, expiresAt: 1640998800000 }
    }
  }
}

/** The first message of a job's event stream, after `session`. */
export const SNAPSHOT: Message = {
  name: 'job', summary: 'The job now; each later event of it follows once', payload: Job, example: job
}

/** What `/ws` sends for a message that is no command. */
export const MALFORMED: Message = {
  name: 'error',
  summary: 'The last message was no command',
  payload: MalformedPayload,
  example: { ok: false, error: 'invalid', detail: 'wanted: JSON text {event, data?, id?}' }
}

/** The bodies of webhook deliveries. */
export const WEBHOOKS: Record<string, Message> = {
  webhookProgress: {
    name: 'progress',
    summary: 'A worker reported progress',
    payload: WebhookBody.progress,
    example: { ...body, progress: 75, eventType: 'progress' }
  },
  webhookCompleted: {
    name: 'completed',
    summary: 'A job has a result',
    payload: WebhookBody.completed,
    example: { ...body, result: { rows: 42049 }, eventType: 'completed' }
  },
  webhookFailed: {
    name: 'failed',
    summary: 'A job failed for good',
    payload: WebhookBody.failed,
    example: { ...body, error: 'The file has no header', eventType: 'failed' }
  }
}

/** An entry of the stream of job events. */
export const STREAM_ENTRY: Message = {
  name: 'job event',
  summary: 'Field `d` of an entry, whose id is the id of the event; field `u` is the user, and `r`, where it is ' +
    'given, the id under which the same end was published before',
  payload: Type.Object({
    ...JobEvent.properties,
    raw: Type.Optional(Type.Literal(true, { description: 'The last member is the JSON of the worker, unchanged' }))
  }, { $id: 'StreamEvent' }),
  example: {
    v: 1,
    type: 'progress',
    queue: 'default',
    jobId,
    name: 'resize',
    userId: '7',
    timestamp: 1640995300000,
    raw: true,
    progress: 75
  }
}

/** The headers of a delivery, by Standard Webhooks. */
export const WebhookHeaders = Type.Object({
  'webhook-id': Type.String({ description: 'The id of the event: the same in every channel, and for each attempt' }),
  'webhook-timestamp': Type.String({ description: 'Seconds since 1970 of the attempt', pattern: '^\\d+$' }),
  'webhook-signature': Type.String({ description: 'One signature for each valid secret', pattern: '^v1,' }),
  'webhook-attempt': Type.String({ description: 'The number of the attempt, from 1', pattern: '^\\d+$' })
}, { $id: 'WebhookHeaders' })

/** A frame of `/ws` around a command. */
export const commandFrame = ({ name, payload }: Message) => Type.Object({
  event: Type.Literal(name),
  data: payload,
  id: Type.Optional(Type.Union([Type.Integer(), Type.String({ maxLength: 128 })], {
    description: 'Asks for an `ack` with the same id'
  }))
}, { additionalProperties: false })

/** A frame of `/ws` around an event. */
export const eventFrame = ({ name, payload }: Pick<Message, 'name' | 'payload'>) => Type.Object({
  event: name.includes('<jobId>')
    ? Type.String({ pattern: `^${name.replace('<jobId>', '.+')}$` })
    : Type.Literal(name),
  data: payload
})
