import { problemResponse } from '@tidings/contracts'

export const DESCRIPTIONS = {
  400: 'The input is not valid; `errors` names each fault with its path',
  401: 'No token, or none that is valid; `WWW-Authenticate` says which',
  403: 'The token lacks a scope; `detail` and `WWW-Authenticate` name it',
  404: 'Not found, or not yours',
  409: 'Not as things stand',
  410: 'No longer kept',
  413: 'The body is too large',
  414: 'A part of the path is too long',
  415: 'The body is no JSON',
  429: 'Too many requests; `Retry-After` says when to come back',
  500: 'A fault of ours; `instance` finds it in the logs',
  503: 'Not now (a dependency is away, or there is too much to do); `Retry-After` says when to come back'
} as const

type Status = keyof typeof DESCRIPTIONS

/** What every route behind a token may answer. */
const ALWAYS: Status[] = [400, 401, 429, 500, 503]

/** The error answers of a route, for its `response` schema: those of every route, and these. */
export function problemResponses (...statuses: Status[]) {
  return Object.fromEntries([...ALWAYS, ...statuses].map(status => [status, problemResponse(DESCRIPTIONS[status])]))
}
