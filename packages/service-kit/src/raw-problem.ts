import { STATUS_CODES } from 'node:http'
import { PROBLEM_JSON, type Problem } from '@tidings/contracts'

type RawProblem = Pick<Problem, 'status' | 'detail' | 'instance'> & { code: string, headers?: [string, string][] }

/** A problem's fields, for responses outside Fastify's error handler. */
export function problem ({ status, code, detail, instance }: Omit<RawProblem, 'headers'>): Problem {
  return {
    type: `urn:tidings:problem:${code}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    ...(detail !== undefined && { detail }),
    ...(instance !== undefined && { instance })
  }
}

/** A whole response, for a socket that Node's HTTP server has given up or handed over. It ends the connection. */
export function rawProblem ({ headers = [], ...fields }: RawProblem): string {
  const body = JSON.stringify(problem(fields))
  return [
    `HTTP/1.1 ${fields.status} ${STATUS_CODES[fields.status]}`,
    `content-type: ${PROBLEM_JSON}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    ...headers.map(([name, value]) => `${name}: ${value}`),
    '',
    body
  ].join('\r\n')
}
