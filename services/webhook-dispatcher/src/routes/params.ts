import { Type } from 'typebox'

const INT4_MAX = 2_147_483_647

const webhookId = Type.Integer({ minimum: 1, maximum: INT4_MAX, description: 'Id of the webhook' })

export const WebhookParams = Type.Object({ id: webhookId })

export const ReplayParams = Type.Object({
  id: webhookId,
  replayId: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'Id of the replay' })
})

export const DeliveryParams = Type.Object({
  id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'Id of the delivery' })
})

export const NoContent = Type.Null({ description: 'Done' })

/** What a list of deliveries does where its filters select few. */
export const SCAN =
  'All filters that are given have to apply. Where `pagination.truncated` is true the search ended before the page ' +
  'was full, and `pagination.next` continues it.'

/** What a requested delivery may wait for. */
export const WAITS_WHILE_PAUSED =
  'It waits while the endpoint is paused, because it asked for that or keeps failing; ' +
  '`PUT /webhooks/:id` with `active: true` ends the pause.'
