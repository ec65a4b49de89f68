import type { DeliveredEventType, WebhookEventType } from '@tidings/contracts'
import { invalidInput, targetOf, type EgressRules, type InputFault } from '@tidings/service-kit'
import { eventTypesFault } from './event-types.ts'
import { headerFaults } from './custom-headers.ts'

type Input = {
  url?: string
  headers?: Record<string, string>
  eventType?: WebhookEventType
  eventTypes?: DeliveredEventType[]
}

/**
 * Checks what a schema can't express: where a webhook may point, which headers it may send, and whether the two fields
 * for its event types agree.
 * @throws INVALID_INPUT with every fault and its path
 */
export function checkInput ({ url, headers, ...types }: Input, rules: EgressRules, urlField = 'url'): void {
  const errors: InputFault[] = []
  const urlFault = url === undefined ? undefined : targetOf(url, rules).fault
  if (urlFault) errors.push({ path: `body.${urlField}`, message: urlFault })
  for (const [name, message] of headerFaults(headers ?? {})) {
    errors.push({ path: `body.headers${name && `.${name}`}`, message })
  }
  const typesFault = eventTypesFault(types)
  if (typesFault) errors.push({ path: 'body.eventTypes', message: typesFault })
  if (errors.length > 0) throw invalidInput(errors)
}
