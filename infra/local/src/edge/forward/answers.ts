import type { IncomingMessage, ServerResponse } from 'node:http'
import { PROBLEM_JSON } from '@tidings/contracts'
import { corsHeaders, problem } from '@tidings/service-kit'
import type { EdgeConfig } from '../config.ts'

const RETRY_AFTER_S = '1'

export interface OwnProblem { status: number, code: string, detail: string }

type OwnResponse = { config: EdgeConfig, id: string, problem: OwnProblem }

/** Sends a problem of the edge itself, which pages of other origins can read too. */
export function sendOwn (request: IncomingMessage, response: ServerResponse, answer: OwnResponse): void {
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

/** Answers in place of a service that is down, so that a page can read the error. */
export function answerPreflight (request: IncomingMessage, response: ServerResponse, config: EdgeConfig): void {
  const requested = request.headers['access-control-request-headers']
  response.writeHead(204, corsHeaders(config)(request.headers.origin, { headers: requested }).flat()).end()
}
