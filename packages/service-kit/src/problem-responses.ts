import { problemResponse } from '@tidings/contracts'

export const DESCRIPTIONS = {
  400: 'The input is not valid; `errors` names each fault with its path',
  401: 'The token is missing or invalid; `WWW-Authenticate` says which',
  403: 'The token lacks a scope; `detail` and `WWW-Authenticate` name it',
  404: 'Not found, or owned by another user',
  409: 'Not possible in the current state',
  410: 'No longer kept',
  413: 'The body is too large',
  414: 'A part of the path is too long',
  415: 'The body is not JSON',
  422: 'More items than one request may have',
  429: 'Too many requests; `Retry-After` says when to try again',
  500: 'An internal error; the log contains its `instance`',
  503: 'Unavailable: a dependency is away, or the load is too high; `Retry-After` says when to try again'
} as const

type Status = keyof typeof DESCRIPTIONS

/** Errors of every route that needs a token. */
const ALWAYS: Status[] = [400, 401, 429, 500, 503]

/** The error responses of a route, for its `response` schema: those of every route, and the given ones. */
export function problemResponses (...statuses: Status[]) {
  return Object.fromEntries([...ALWAYS, ...statuses].map(status => [status, problemResponse(DESCRIPTIONS[status])]))
}
