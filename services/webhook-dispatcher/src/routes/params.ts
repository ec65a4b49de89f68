import { Type } from 'typebox'

const INT4_MAX = 2_147_483_647

/** Path parameters of a webhook. */
export const WebhookParams = Type.Object({ id: Type.Integer({ minimum: 1, maximum: INT4_MAX, description: 'Id of the webhook' }) })
