import { invalidInput } from '../invalid-input.ts'
import type { SecretBox } from '../secrets/secret-box.ts'
import { headerFaults } from './custom-headers.ts'
import type { WebhookRow } from './webhook-row.ts'

type Headers = Record<string, string>

/** Stands for a value wherever headers are shown; sent back it keeps the value. */
export const MASK = '••••'

/** The columns of a webhook's own headers: their names with masks, and all of them encrypted. */
export function headerColumns (headers: Headers, box: SecretBox): Pick<WebhookRow, 'headers' | 'sealedHeaders'> {
  const names = Object.keys(headers)
  return {
    headers: Object.fromEntries(names.map(name => [name, MASK])),
    sealedHeaders: names.length > 0 ? box.seal(JSON.stringify(headers)) : null
  }
}

export function openHeaders ({ headers, sealedHeaders }: Pick<WebhookRow, 'headers' | 'sealedHeaders'>, open: SecretBox['open']): Headers {
  return sealedHeaders === null ? headers : JSON.parse(open(sealedHeaders)) as Headers
}

export function withoutMasked (headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== MASK))
}

/**
 * The headers as an update leaves them: a mask stands for the value that the header has.
 * @throws INVALID_INPUT where there is none
 */
export function mergeHeaders (given: Headers, known: Headers): Headers {
  const values = new Map(Object.entries(known).map(([name, value]) => [name.toLowerCase(), value]))
  const merged = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value === MASK ? values.get(name.toLowerCase()) ?? MASK : value]))
  const errors = headerFaults(merged).map(([name, message]) => ({
    path: `body.headers${name && `.${name}`}`,
    message: merged[name] === MASK ? `has no value that ${MASK} could stand for` : message
  }))
  if (errors.length > 0) throw invalidInput(errors)
  return merged
}
