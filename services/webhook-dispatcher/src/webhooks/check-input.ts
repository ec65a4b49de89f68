import { invalidInput, targetOf, type EgressRules, type InputFault } from '@tidings/service-kit'
import { headerFaults } from './custom-headers.ts'

type Input = { url?: string, headers?: Record<string, string> }

/**
 * Checks what a schema can't express: where a webhook may point, and which headers it may send.
 * @throws INVALID_INPUT with every fault and its path
 */
export function checkInput ({ url, headers }: Input, rules: EgressRules, urlField = 'url'): void {
  const errors: InputFault[] = []
  const urlFault = url === undefined ? undefined : targetOf(url, rules).fault
  if (urlFault) errors.push({ path: `body.${urlField}`, message: urlFault })
  for (const [name, message] of headerFaults(headers ?? {})) {
    errors.push({ path: `body.headers${name && `.${name}`}`, message })
  }
  if (errors.length > 0) throw invalidInput(errors)
}
