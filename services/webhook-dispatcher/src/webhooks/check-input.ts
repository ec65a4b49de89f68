import { targetOf, type EgressRules } from '@tidings/service-kit'
import { invalidInput, type Fault } from '../invalid-input.ts'
import { headerFaults } from './custom-headers.ts'

type Input = { url?: string, headers?: Record<string, string> }

/**
 * What a schema can't say of a webhook: where it may point at, what it may send.
 * @throws INVALID_INPUT with every fault and its path
 */
export function checkInput ({ url, headers }: Input, rules: EgressRules, urlField = 'url'): void {
  const errors: Fault[] = []
  const urlFault = url === undefined ? undefined : targetOf(url, rules).fault
  if (urlFault) errors.push({ path: `body.${urlField}`, message: urlFault })
  for (const [name, message] of headerFaults(headers ?? {})) errors.push({ path: `body.headers${name && `.${name}`}`, message })
  if (errors.length > 0) throw invalidInput(errors)
}
