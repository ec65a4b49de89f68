import { Type, type Static } from 'typebox'
import { Int32 } from './int32.ts'
import { EventIdText, JobQuery, JobState } from './job.ts'
import { queryList } from './query-list.ts'

/** Query of `GET /jobs/:jobId/events`. */
export const JobTimelineQuery = Type.Object({
  ...JobQuery.properties,
  include: Type.Optional(queryList(Type.Enum(['progress']), {
    maxItems: 10, description: '`progress`: samples of the progress, and the attempts'
  }))
}, { additionalProperties: false })
export type JobTimelineQuery = Static<typeof JobTimelineQuery>

const errorTruncated = Type.Optional(
  Type.Literal(true, { description: 'The error is larger than 64 KiB; this is its beginning' })
)

/** One event of a job's timeline; progress is left out. */
export const JobTimelineEntry = Type.Object({
  eventId: EventIdText,
  type: Type.String(),
  state: JobState,
  timestamp: Type.Integer(),
  error: Type.Optional(Type.String({
    description: 'Why the job failed; of `waiting` and `delayed`: why the attempt failed that is retried (up to 4 KiB)'
  })),
  errorTruncated
}, { $id: 'JobEvent' })
export type JobTimelineEntry = Static<typeof JobTimelineEntry>

const ProgressSample = Type.Object({
  timestamp: Type.Integer({ description: 'When it was reported, in milliseconds since 1970' }),
  progress: Type.Unknown({ description: 'What the worker reported' }),
  progressTruncated: Type.Optional(Type.Literal(true, {
    description: 'The progress has more than 512 characters and is left out of the samples'
  }))
}, { $id: 'ProgressSample' })

export const JobAttempt = Type.Object({
  number: Int32({ description: 'From 1; `attempts.made` of the job is that of the last one' }),
  started: Type.Integer({ description: 'Milliseconds since 1970' }),
  finished: Type.Unsafe<number | null>({ type: ['integer', 'null'], description: 'Null while it runs' }),
  outcome: Type.Unsafe<'completed' | 'failed' | 'interrupted' | null>({
    type: ['string', 'null'],
    enum: ['completed', 'failed', 'interrupted', null],
    description: 'Null while it runs; `interrupted`: the job went back to the queue without an error that is known ' +
      '(a stall, a step, a rate limit)'
  }),
  error: Type.Optional(Type.String({ description: 'Why it failed; of a retried attempt up to 4 KiB' })),
  errorTruncated
}, { $id: 'JobAttempt' })
export type JobAttempt = Static<typeof JobAttempt>

const [started, finished] = [1640995210000, 1640995300000]

export const JobTimeline = Type.Object({
  events: Type.Array(JobTimelineEntry, { description: 'Oldest first; the newest 1,000' }),
  progress: Type.Optional(Type.Array(ProgressSample, {
    maxItems: 200,
    description: 'With `include=progress`: the first progress of each tenth of a second, and the last one; of more ' +
      'than 200, the first, the last, and others at one distance. Oldest first'
  })),
  attempts: Type.Optional(Type.Array(JobAttempt, {
    description: 'With `include=progress`: the attempts that are in `events`, oldest first'
  }))
}, {
  $id: 'JobTimeline',
  examples: [{
    events: [
      { eventId: `${started}-0`, type: 'active', state: 'active', timestamp: started },
      { eventId: `${finished}-0`, type: 'completed', state: 'completed', timestamp: finished }
    ],
    progress: [{ timestamp: 1640995250000, progress: 50 }],
    attempts: [{ number: 1, started, finished, outcome: 'completed' }]
  }]
})
export type JobTimeline = Static<typeof JobTimeline>
