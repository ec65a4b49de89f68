import type { Http } from './http.ts'
import { createRoutes, type RequestOptions } from './routes.ts'
import type {
  CreatedWebhook, Delivery, DeliveryList, DeliverySummary, LegacyWebhook, ListAllDeliveriesQuery, ListDeliveriesQuery,
  NewLegacyWebhook, NewReplay, NewWebhook, Redelivery, Replay, StartedReplay, Webhook, WebhookChange, WebhookStats,
  WebhookStatsQuery, WebhookTest
} from './types.ts'

type DeliveriesOptions = ListDeliveriesQuery & RequestOptions
type Id = [id: number]

export type Webhooks = ReturnType<typeof createWebhooks>
export type Deliveries = ReturnType<typeof createDeliveries>

export function createWebhooks (http: Http) {
  const { route, pages } = createRoutes(http)
  return {
    /** Gets what happens from now on. The response holds the secret with which deliveries are signed. */
    create: route<[webhook: NewWebhook], CreatedWebhook>('POST /webhooks body'),
    list: route<[], Webhook[]>('GET /webhooks', 'webhooks'),
    get: route<Id, Webhook>('GET /webhooks/:id'),
    /** Changes what it names. `{ active: false }` pauses the webhook. */
    update: route<[id: number, change: WebhookChange], Webhook>('PUT /webhooks/:id body'),
    delete: route<Id, void>('DELETE /webhooks/:id'),
    secret: route<Id, string>('GET /webhooks/:id/secret', 'secret'),
    /** Makes a new secret; the old one signs beside it for 24 hours. */
    rotateSecret: route<Id, string>('POST /webhooks/:id/rotate-secret', 'secret'),
    /** Posts a sample event. */
    test: route<Id, WebhookTest>('POST /webhooks/:id/test'),
    /** Newest first. `for await` reads all pages. */
    deliveries: pages<Id, DeliverySummary, DeliveryList, DeliveriesOptions>('/webhooks/:id/deliveries', 'deliveries'),
    /** Counts by outcome and latencies over time; of the last 24 hours by default. */
    stats: route<Id, WebhookStats, WebhookStatsQuery & RequestOptions>('GET /webhooks/:id/stats'),
    /** Posts everything after a time or the id of an event once more. */
    replay: route<[id: number, replay: NewReplay], StartedReplay>('POST /webhooks/:id/replay body'),
    getReplay: route<[id: number, replayId: number], Replay>('GET /webhooks/:id/replays/:id'),

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

export function createDeliveries (http: Http) {
  const { route, pages } = createRoutes(http)
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
