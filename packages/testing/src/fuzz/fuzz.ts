import fc from 'fast-check'
import Schema from 'typebox/schema'
import type { JsonSchema, Operation } from './document.ts'
import { requests, type Known, type Request } from './requests.ts'

export { json, near, record } from './inputs.ts'
export { fuzzParsers, orThrows, row } from './parsers.ts'
export { operationsOf, withoutReferences, type Operation } from './document.ts'

/** Whether a value is as a schema says. */
export const matches = (schema: JsonSchema, value: unknown): boolean => Schema.Check(schema, value)

export type Answer = { statusCode: number, body: string, headers: Record<string, unknown> }

type FuzzOptions = {
  ask: (request: Request) => Promise<Answer>
  known: Known
  runs?: number
}

/** Requests that are sent besides, until one succeeds: fields that exclude each other leave few valid ones. */
const MORE_RUNS = 1000

/**
 * Sends valid and invalid requests to an operation, half each, and more of them if none of these succeeds. Each
 * response must be documented, and none a fault of the service (5xx). Returns the statuses that occurred.
 */
export async function fuzz (operation: Operation, { ask, known, runs = 60 }: FuzzOptions): Promise<Set<number>> {
  const statuses = new Set<number>()
  const send = async (request: Request) => {
    const answer = await ask(request)
    statuses.add(answer.statusCode)
    const fault = faultOf(operation, answer)
    if (fault) throw new Error(`${request.method} ${request.url}: ${fault}`)
  }
  await fc.assert(fc.asyncProperty(requests(operation, known), send), { numRuns: runs })
  const hasSucceeded = () => [...statuses].some(status => status < 300)
  if (hasSucceeded()) return statuses
  for (const request of fc.sample(requests(operation, known), MORE_RUNS)) {
    await send(request)
    if (hasSucceeded()) break
  }
  return statuses
}

/** How an answer differs from what the document says of it; undefined where it does not. */
export function faultOf ({ answers }: Operation, { statusCode, body, headers }: Answer): string | undefined {
  if (statusCode >= 500) return `${statusCode} ${body}`
  // `..` or nothing in the place of an id: the request is of another path, which has no such method.
  if (statusCode === 405) return undefined
  if (!answers.has(statusCode)) return `${statusCode} is not documented`
  const schema = answers.get(statusCode)
  if (!schema) return body === '' ? undefined : `${statusCode} has a body`
  if (statusCode >= 400 && !String(headers['content-type']).startsWith('application/problem+json')) {
    return `${statusCode} is no problem+json`
  }
  return matches(schema, JSON.parse(body)) ? undefined : `${statusCode} is not as documented: ${body}`
}
