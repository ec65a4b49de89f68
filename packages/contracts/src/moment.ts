import { Type } from 'typebox'

/**
 * A time in a query or a filter: milliseconds since 1970, a time (ISO 8601), or the id of an event. `momentOf` of
 * service-kit reads it.
 */
export const Moment = (description: string) => Type.Unsafe<string | number>({
  type: ['string', 'integer'],
  maxLength: 64,
  description: `${description}: milliseconds since 1970, a time (ISO 8601; a date alone is its start in UTC), or the ` +
    'id of an event, whose time it stands for',
  examples: ['2022-01-01T00:00:00Z']
})
