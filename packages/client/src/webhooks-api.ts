import type { RequestOptions, Routes } from './routes.ts'
import type {
  CreatedWebhook, Delivery, DeliveryList, DeliverySummary, LegacyWebhook, ListAllDeliveriesQuery, ListDeliveriesQuery,
  ListReplaysQuery, NewLegacyWebhook, NewReplay, NewWebhook, Redelivery, Replay, ReplayList, ReplayMatches,
  ReplaySummary, StartedReplay, Webhook, WebhookChange, WebhookSecret, WebhookStats, WebhookStatsQuery, WebhookTest
} from './types.ts'

type DeliveriesOptions = ListDeliveriesQuery & RequestOptions
type Id = [id: number]

interface RequestReplay {
  (id: number, replay: NewReplay & { dryRun: true }, options?: RequestOptions): Promise<ReplayMatches>
  (id: number, replay: NewReplay & { dryRun?: false | null }, options?: RequestOptions): Promise<StartedReplay>
}

export type Webhooks = ReturnType<typeof createWebhooks>
export type Deliveries = ReturnType<typeof createDeliveries>

export function createWebhooks ({ route, pages }: Routes) {
  return {
    /**
     * Gets what happens from now on, of the selected event types, queues and names. The response holds the secret with
     * which deliveries are signed.
     */
    create: route<[webhook: NewWebhook], CreatedWebhook>('POST /webhooks body'),
    list: route<[], Webhook[]>('GET /webhooks', 'webhooks'),
    get: route<Id, Webhook>('GET /webhooks/:id'),
    /** Changes what it names. `{ active: false }` pauses the webhook. */
    update: route<[id: number, change: WebhookChange], Webhook>('PUT /webhooks/:id body'),
    delete: route<Id, void>('DELETE /webhooks/:id'),
    secret: route<Id, string>('GET /webhooks/:id/secret', 'secret'),
    /** The same, and until when the secret before it signs as well. */
    signing: route<Id, WebhookSecret>('GET /webhooks/:id/secret'),
    /** Makes a new secret; the old one signs beside it for 24 hours. */
    rotateSecret: route<Id, string>('POST /webhooks/:id/rotate-secret', 'secret'),
    /** Posts a sample event. */
    test: route<Id, WebhookTest>('POST /webhooks/:id/test'),
    /** Newest first. `for await` reads all pages. */
    deliveries: pages<Id, DeliverySummary, DeliveryList, DeliveriesOptions>('/webhooks/:id/deliveries', 'deliveries'),
    /** Counts by outcome and latencies over time; of the last 24 hours by default. */
    stats: route<Id, WebhookStats, WebhookStatsQuery & RequestOptions>('GET /webhooks/:id/stats'),
    /**
     * Posts the events of some time once more, from a time or the id of an event on; `status: 'failed'` only those that
     * were not delivered. With `dryRun: true` it only counts them.
     */
    replay: route<[id: number, replay: NewReplay], unknown>('POST /webhooks/:id/replay body') as RequestReplay,
    /** Newest first. `for await` reads all pages. */
    replays: pages<Id, ReplaySummary, ReplayList, ListReplaysQuery & RequestOptions>(
      '/webhooks/:id/replays', 'replays'),
    getReplay: route<[id: number, replayId: number], Replay>('GET /webhooks/:id/replays/:replayId'),
    /** Its pending deliveries are closed, and it creates no more. */
    stopReplay: route<[id: number, replayId: number], void>('DELETE /webhooks/:id/replays/:replayId'),

    /** The user's own `webhookUrl`, which gets completions. */
    legacy: {
      get: route<[], LegacyWebhook>('GET /webhooks/legacy'),
      put: route<[webhook: NewLegacyWebhook], LegacyWebhook>('PUT /webhooks/legacy body'),
      delete: route<[], void>('DELETE /webhooks/legacy'),
      secret: route<[], string>('GET /webhooks/legacy/secret', 'secret'),
      rotateSecret: route<[], string>('POST /webhooks/legacy/rotate-secret', 'secret'),
      deliveries: pages<[], DeliverySummary, DeliveryList, DeliveriesOptions>(
        '/webhooks/legacy/deliveries', 'deliveries'),
      /** Makes it a webhook. */
      migrate: route<[], CreatedWebhook>('POST /webhooks/legacy/migrate')
    }
  }
}

export function createDeliveries ({ route, pages }: Routes) {
  return {
    /** To all webhooks, newest first, those of deleted ones too. `for await` reads all pages. */
    list: pages<[], DeliverySummary, DeliveryList, ListAllDeliveriesQuery & RequestOptions>(
      '/deliveries', 'deliveries'),
    /** With its payload and all attempts. */
    get: route<Id, Delivery>('GET /deliveries/:id'),
    /** Posts it once more, as a delivery of its own. */
    redeliver: route<Id, Redelivery>('POST /deliveries/:id/redeliver')
  }
}
