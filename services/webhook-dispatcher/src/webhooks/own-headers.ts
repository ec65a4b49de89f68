import { invalidInput } from '@tidings/service-kit'
import type { SecretBox } from '../secrets/secret-box.ts'
import { headerFaults } from './custom-headers.ts'
import type { WebhookRow } from './webhook-row.ts'

type Headers = Record<string, string>

/** Shown in place of a value; sent back, it keeps the value. */
const MASK = '••••'

/** The columns of a webhook's own headers: the names with masks, and the headers encrypted. */
export function headerColumns (headers: Headers, box: SecretBox): Pick<WebhookRow, 'headers' | 'sealedHeaders'> {
  const names = Object.keys(headers)
  return {
    headers: Object.fromEntries(names.map(name => [name, MASK])),
    sealedHeaders: names.length > 0 ? box.seal(JSON.stringify(headers)) : null
  }
}

export function openHeaders (
  { headers, sealedHeaders }: Pick<WebhookRow, 'headers' | 'sealedHeaders'>, open: SecretBox['open']
): Headers {
  return sealedHeaders === null ? headers : JSON.parse(open(sealedHeaders)) as Headers
}

export function withoutMasked (headers: Headers): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== MASK))
}

/**
 * The headers after an update: a masked header keeps its value.
 * @throws INVALID_INPUT where it has none
 */
export function mergeHeaders (given: Headers, known: Headers): Headers {
  const values = new Map(Object.entries(known).map(([name, value]) => [name.toLowerCase(), value]))
  const valueOf = (name: string, value: string) => value === MASK ? values.get(name.toLowerCase()) ?? MASK : value
  const merged = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, valueOf(name, value)]))
  const errors = headerFaults(merged).map(([name, message]) => ({
    path: `body.headers${name && `.${name}`}`,
    message: merged[name] === MASK ? `has no value yet that ${MASK} could keep` : message
  }))
  if (errors.length > 0) throw invalidInput(errors)
  return merged
}
