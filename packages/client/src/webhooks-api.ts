import { call, path, type Http } from './http.ts'
import { createPages, type Pages, type RequestOptions } from './jobs.ts'
import type {
  CreatedWebhook, Delivery, DeliveryList, DeliverySummary, LegacyWebhook, ListDeliveriesQuery, NewLegacyWebhook,
  NewReplay, NewWebhook, Redelivery, Replay, RotatedSecret, StartedReplay,
  Webhook, WebhookChange, WebhookSecret, WebhookTest
} from './types.ts'

type DeliveriesOptions = ListDeliveriesQuery & RequestOptions

export type Webhooks = ReturnType<typeof createWebhooks>
export type Deliveries = ReturnType<typeof createDeliveries>

type Send = <T>(method: string, url: string, options?: RequestOptions, body?: unknown) => Promise<T>

const sender = (http: Http): Send => (method, url, options, body) => call(http, method, url, { ...options, body })

export function createWebhooks (http: Http) {
  const send = sender(http)
  const secretAt = async (method: string, url: string, options?: RequestOptions): Promise<string> =>
    (await send<WebhookSecret | RotatedSecret>(method, url, options)).secret
  function listDeliveries (
    url: string, { signal, ...query }: DeliveriesOptions = {}
  ): Pages<DeliverySummary, DeliveryList> {
    return createPages(http, url, query, signal, (page: DeliveryList) => page.deliveries)
  }

  return {
    /** Gets what happens from now on. The response holds the secret with which deliveries are signed. */
    create: (webhook: NewWebhook, options?: RequestOptions): Promise<CreatedWebhook> =>
      send('POST', '/webhooks', options, webhook),
    list: async (options: RequestOptions = {}): Promise<Webhook[]> =>
      (await send<{ webhooks: Webhook[] }>('GET', '/webhooks', options)).webhooks,
    get: (id: number, options?: RequestOptions): Promise<Webhook> =>
      send('GET', path`/webhooks/${id}`, options),
    /** Changes what it names. `{ active: false }` pauses the webhook. */
    update: (id: number, change: WebhookChange, options?: RequestOptions): Promise<Webhook> =>
      send('PUT', path`/webhooks/${id}`, options, change),
    delete: (id: number, options?: RequestOptions): Promise<void> =>
      send('DELETE', path`/webhooks/${id}`, options),
    secret: (id: number, options?: RequestOptions) => secretAt('GET', path`/webhooks/${id}/secret`, options),
    /** Makes a new secret; the old one signs beside it for 24 hours. */
    rotateSecret: (id: number, options?: RequestOptions) =>
      secretAt('POST', path`/webhooks/${id}/rotate-secret`, options),
    /** Posts a sample event. */
    test: (id: number, options?: RequestOptions): Promise<WebhookTest> =>
      send('POST', path`/webhooks/${id}/test`, options),
    /** Newest first. `for await` reads all pages. */
    deliveries: (id: number, options?: DeliveriesOptions) => listDeliveries(path`/webhooks/${id}/deliveries`, options),
    /** Posts everything after a time or the id of an event once more. */
    replay: (id: number, replay: NewReplay, options?: RequestOptions): Promise<StartedReplay> =>
      send('POST', path`/webhooks/${id}/replay`, options, replay),
    getReplay: (id: number, replayId: number, options?: RequestOptions): Promise<Replay> =>
      send('GET', path`/webhooks/${id}/replays/${replayId}`, options),

    /** The user's own `webhookUrl`, which gets completions. */
    legacy: {
      get: (options?: RequestOptions): Promise<LegacyWebhook> =>
        send('GET', '/webhooks/legacy', options),
      put: (webhook: NewLegacyWebhook, options?: RequestOptions): Promise<LegacyWebhook> =>
        send('PUT', '/webhooks/legacy', options, webhook),
      delete: (options?: RequestOptions): Promise<void> =>
        send('DELETE', '/webhooks/legacy', options),
      secret: (options?: RequestOptions) => secretAt('GET', '/webhooks/legacy/secret', options),
      rotateSecret: (options?: RequestOptions) => secretAt('POST', '/webhooks/legacy/rotate-secret', options),
      deliveries: (options?: DeliveriesOptions) => listDeliveries('/webhooks/legacy/deliveries', options),
      /** Makes it a webhook. */
      migrate: (options?: RequestOptions): Promise<CreatedWebhook> =>
        send('POST', '/webhooks/legacy/migrate', options)
    }
  }
}

export function createDeliveries (http: Http) {
  const send = sender(http)
  return {
    /** With its payload and all attempts. */
    get: (id: number, options?: RequestOptions): Promise<Delivery> =>
      send('GET', path`/deliveries/${id}`, options),
    /** Posts it once more, as a delivery of its own. */
    redeliver: (id: number, options?: RequestOptions): Promise<Redelivery> =>
      send('POST', path`/deliveries/${id}/redeliver`, options)
  }
}
