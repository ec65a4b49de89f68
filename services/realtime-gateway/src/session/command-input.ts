import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import { SubscribeJob, UnsubscribeJob } from '@tidings/contracts'
import type { WantedJob } from './subscribe-request.ts'

/** As long as a header with a token may be: a token that came in a header is refreshed by a message. */
const MAX_TOKEN_LENGTH = 16 * 1024

const isSubscribe = Compile(SubscribeJob)
const isUnsubscribe = Compile(UnsubscribeJob)
const isToken = Compile(Type.String({ minLength: 1, maxLength: MAX_TOKEN_LENGTH }))

/** The valid input of a command, or its fault. */
export type Read<Input> = { input: Input } | { fault: string }

const JOB_FAULT = 'wanted: a job id (text of 1 to 256 printable characters, or an integer below 2^53), ' +
  'or {jobId, queue?, lastEventId?}'
const TOKEN_FAULT = `wanted: a token (text of 1 to ${MAX_TOKEN_LENGTH} characters), or {token}`

export function readSubscribe (data: unknown): Read<WantedJob> {
  const wanted = jobOf(data)
  return isSubscribe.Check(wanted) ? { input: wanted as WantedJob } : { fault: JOB_FAULT }
}

export function readUnsubscribe (data: unknown): Read<{ jobId: string }> {
  const { lastEventId: _, ...wanted } = jobOf(data)
  return isUnsubscribe.Check(wanted) ? { input: wanted as { jobId: string } } : { fault: JOB_FAULT }
}

export function readToken (data: unknown): Read<string> {
  const given = isObject(data) && Object.keys(data).length === 1 ? data.token : data
  const token = typeof given === 'string' ? given.trim().replace(/^Bearer +/i, '') : given
  return isToken.Check(token) ? { input: token } : { fault: TOKEN_FAULT }
}

/** BullMQ's own ids are numbers as text, which clients mistake for numbers. Empty values count as not given. */
function jobOf (data: unknown): Record<string, unknown> {
  const { jobId, ...named } = isObject(data) ? data : { jobId: data }
  const given = Object.entries(named).filter(([, value]) => value !== null && value !== undefined && value !== '')
  return { jobId: Number.isSafeInteger(jobId) ? String(jobId) : jobId, ...Object.fromEntries(given) }
}

function isObject (data: unknown): data is Record<string, unknown> {
  return typeof data === 'object' && data !== null && !Array.isArray(data)
}
