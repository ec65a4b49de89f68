import type { TSchema } from 'typebox'
import { Int32 } from '@tidings/contracts'

export const RATE_LIMIT = {
  'ratelimit-limit': Int32({ description: 'Requests that you may make per minute' }),
  'ratelimit-remaining': Int32({ description: 'Requests left in this minute' }),
  'ratelimit-reset': Int32({ description: 'Seconds until the minute ends' })
}

/** The schema of a successful response, for a route's `response`. */
export function successResponse<Schema extends TSchema> (
  schema: Schema, description: string, headers: Record<string, TSchema> = {}
) {
  const { examples } = schema as { examples?: unknown[] }
  return {
    description,
    headers: { ...headers, ...RATE_LIMIT },
    content: { 'application/json': { schema, ...(examples && { example: examples[0] }) } }
  }
}
