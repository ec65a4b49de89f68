import type { IncomingMessage, ServerResponse } from 'node:http'
import { PROBLEM_JSON } from '@tidings/contracts'
import { corsHeaders, problem } from '@tidings/service-kit'
import type { EdgeConfig } from '../config.ts'

const RETRY_AFTER_S = '1'

export interface OwnProblem { status: number, code: string, detail: string }

/** An answer of the edge's own: a problem that a page of another origin can read too. */
export function sendOwn (request: IncomingMessage, response: ServerResponse, answer: { config: EdgeConfig, id: string, problem: OwnProblem }): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const body = JSON.stringify(problem({ ...answer.problem, instance: `urn:request:${answer.id}` }))
  response.writeHead(answer.problem.status, [
    'content-type', PROBLEM_JSON,
    'content-length', String(Buffer.byteLength(body)),
    ...(answer.problem.status >= 500 ? ['retry-after', RETRY_AFTER_S] : []),
    'x-content-type-options', 'nosniff',
    ...corsHeaders(answer.config)(request.headers.origin).flat()
  ])
  response.end(body)
}

export function isPreflight ({ method, headers }: IncomingMessage): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined
}

/** In place of a service that is away: else a page could not read that it is. */
export function answerPreflight (request: IncomingMessage, response: ServerResponse, config: EdgeConfig): void {
  const requested = request.headers['access-control-request-headers']
  response.writeHead(204, corsHeaders(config)(request.headers.origin, { headers: requested }).flat()).end()
}
