import { Type, type Static } from 'typebox'
import { Int32 } from './int32.ts'
import { EventIdText } from './job.ts'
import { NullableEnum, nullable } from './nullable.ts'
import { DeliveredEventTypes } from './webhook.ts'

const Time = Type.String({ format: 'date-time' })

/** Body of `POST /webhooks/:id/replay`. */
export const RequestReplay = Type.Object({
  since: Type.Union([Time, EventIdText], {
    description: 'A time, or the id of the last event that is not replayed'
  }),
  until: Type.Optional(Type.Union([Time, EventIdText, Type.Null()], {
    description: 'A time, which is not included, or the id of the last event that is replayed; the newest by default'
  })),
  status: Type.Optional(NullableEnum(['failed'], {
    description: 'Only events whose delivery to this webhook has failed, and that no redelivery or replay has ' +
      'delivered since or will deliver'
  })),
  eventTypes: Type.Optional(nullable(DeliveredEventTypes)),
  dryRun: Type.Optional(nullable(Type.Boolean({ description: 'Only counts the deliveries; nothing is sent' })))
}, {
  $id: 'NewReplay',
  additionalProperties: false,
  examples: [
    { since: '2022-01-01T00:00:00Z' },
    { since: '2022-01-01T00:00:00Z', until: '2022-01-02T00:00:00Z', status: 'failed', eventTypes: ['completed'] }
  ]
})
export type RequestReplay = Static<typeof RequestReplay>

/** What a replay was limited to, as it was requested. */
export const ReplayConditions = Type.Object({
  since: Type.Optional(Type.String()),
  until: Type.Optional(Type.String()),
  status: Type.Optional(Type.Enum(['failed'])),
  eventTypes: Type.Optional(Type.Array(Type.String()))
}, { $id: 'ReplayConditions', description: 'What was requested' })
export type ReplayConditions = Static<typeof ReplayConditions>

const replay = {
  id: Type.Integer(),
  webhookId: Type.Integer(),
  status: Type.Enum(['running', 'finished', 'stopped'], {
    $id: 'ReplayStatus',
    description: 'running: deliveries are still being created; finished: all are created, though some may be pending'
  }),
  conditions: ReplayConditions,
  deliveries: Type.Integer({ description: 'Deliveries created so far' }),
  createdAt: Time,
  finishedAt: Type.Union([Time, Type.Null()])
}

const example = {
  id: 7,
  webhookId: 1,
  status: 'finished',
  conditions: { since: '2022-01-01T00:00:00Z', until: '2022-01-02T00:00:00Z', status: 'failed' },
  deliveries: 120,
  createdAt: '2022-01-02T00:00:00.000Z',
  finishedAt: '2022-01-02T00:00:03.512Z'
}

/** New deliveries of the events of some time. */
export const Replay = Type.Object(replay, { $id: 'ReplaySummary', description: 'The replay', examples: [example] })
export type Replay = Static<typeof Replay>

/** The response of `GET /webhooks/:id/replays/:replayId`. */
export const ReplayDetail = Type.Object({
  ...replay,
  outcomes: Type.Object({
    pending: Type.Integer(),
    delivered: Type.Integer(),
    failed: Type.Integer(),
    closed: Type.Integer(),
    isCapped: Type.Optional(Type.Literal(true, {
      description: 'More than 10,000 deliveries to the webhook have failed since: `failed` and `closed` are minimums,' +
        ' `delivered` is a maximum'
    }))
  }, { $id: 'ReplayOutcomes', description: 'What became of its deliveries, by status' })
}, {
  $id: 'Replay',
  description: 'The replay, and what became of its deliveries',
  examples: [{ ...example, outcomes: { pending: 2, delivered: 117, failed: 1, closed: 0 } }]
})
export type ReplayDetail = Static<typeof ReplayDetail>

/** The response to a dry run. */
export const ReplayMatches = Type.Object({
  matched: Type.Integer({ description: 'Deliveries that the replay would create' }),
  matchedIsCapped: Type.Optional(Type.Literal(true, {
    description: 'Counting stopped after 100,000 events of that time: there may be more'
  }))
}, { $id: 'ReplayMatches', description: 'A dry run', examples: [{ matched: 120 }] })
export type ReplayMatches = Static<typeof ReplayMatches>

/** Query of `GET /webhooks/:id/replays`. */
export const ListReplaysQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 })),
  cursor: Type.Optional(
    Type.String({ pattern: '^[1-9]\\d{0,14}$', description: '`pagination.next` of the previous page' })
  )
}, { additionalProperties: false })
export type ListReplaysQuery = Static<typeof ListReplaysQuery>

export const ReplayList = Type.Object({
  replays: Type.Array(Replay),
  pagination: Type.Object({
    limit: Int32(),
    next: Type.Union([Type.String(), Type.Null()], { description: 'Cursor of the next page, null at the end' })
  })
}, {
  $id: 'ReplayPage',
  description: 'A page of replays, newest first',
  examples: [{ replays: [example], pagination: { limit: 20, next: null } }]
})
export type ReplayList = Static<typeof ReplayList>
