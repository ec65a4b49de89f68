import { Type, type TSchema } from 'typebox'

const RATE_LIMIT = {
  'ratelimit-limit': Type.Integer({ description: 'Requests that you may make in a minute' }),
  'ratelimit-remaining': Type.Integer({ description: 'How many of them are left' }),
  'ratelimit-reset': Type.Integer({ description: 'Seconds until the minute is over' })
}

/** The answer of a success, for a route's `response` schema. */
export function successResponse<Schema extends TSchema> (schema: Schema, description: string, headers: Record<string, TSchema> = {}) {
  return { ...schema, description, headers: { ...headers, ...RATE_LIMIT } }
}
