import { useQuery, useQueryClient } from '@tanstack/react-query'
import type { Webhook, WebhookHealth } from 'tidings'
import { useClient } from '../live/tidings.tsx'

/** The state of a webhook changes by itself when its endpoint fails for days. */
const WEBHOOK_MS = 10_000
/** While its endpoint fails each attempt changes it. */
const FAILING_MS = 2000
const HEALTH_MS = 30_000

export function useWebhooks () {
  const client = useClient()
  return useQuery({
    queryKey: ['webhooks'],
    queryFn: ({ signal }) => client.webhooks.list({ signal }),
    refetchInterval: ({ state }) => paceOf(state.data)
  })
}

export function useWebhook (id: number) {
  const client = useClient()
  return useQuery({
    queryKey: ['webhook', id],
    queryFn: ({ signal }) => client.webhooks.get(id, { signal }),
    refetchInterval: ({ state: { data } }) => paceOf(data && [data])
  })
}

const paceOf = (webhooks: { health: WebhookHealth }[] = []): number =>
  webhooks.some(({ health }) => health.circuit !== 'closed') ? FAILING_MS : WEBHOOK_MS

/** The deliveries of the last 24 hours, by the hour. */
export function useHealth (id: number) {
  const client = useClient()
  return useQuery({
    queryKey: ['webhook-stats', id, 'health'],
    queryFn: ({ signal }) => client.webhooks.stats(id, { step: '1h', signal }),
    refetchInterval: HEALTH_MS,
    staleTime: HEALTH_MS
  })
}

/** Shows a webhook as a response had it, and asks for the list again. */
export function useChanged (): (webhook: Webhook) => void {
  const queries = useQueryClient()
  return webhook => {
    queries.setQueryData(['webhook', webhook.id], webhook)
    queries.invalidateQueries({ queryKey: ['webhooks'] }).catch(() => {})
  }
}
