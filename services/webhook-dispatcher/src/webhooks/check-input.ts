import createError from '@fastify/error'
import { targetOf, type EgressRules } from '../egress/target.ts'
import { headerFaults } from './custom-headers.ts'

type Fault = { path: string, message: string }
type Input = { url?: string, headers?: Record<string, string> }

const InvalidInput = createError('INVALID_INPUT', 'The request is not valid', 400)

/**
 * What a schema can't say of a webhook: where it may point at, what it may send.
 * @throws InvalidInput with every fault and its path
 */
export function checkInput ({ url, headers }: Input, rules: EgressRules): void {
  const errors: Fault[] = []
  const urlFault = url === undefined ? undefined : targetOf(url, rules).fault
  if (urlFault) errors.push({ path: 'body.url', message: urlFault })
  for (const [name, message] of headerFaults(headers ?? {})) errors.push({ path: `body.headers${name && `.${name}`}`, message })
  if (errors.length > 0) throw Object.assign(new InvalidInput(), { errors })
}
