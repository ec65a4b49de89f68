import { io, type Socket } from 'socket.io-client'
import type { JobCompletedPayload, JobFailedPayload, JobProgressPayload } from '@tidings/contracts'
import type { System } from '@tidings/local'
import type { TestContext } from '@tidings/testing'

export type Answer<Body> = { status: number, headers: Headers, body: Body }

type Send = { method?: string, body?: unknown, headers?: Record<string, string> }

/** The address of a client's requests: the edge of a system, or an origin per path. */
export type Target = System | { origin: (path: string) => string }

const originOf = (target: Target, path: string) =>
  'origin' in target ? target.origin(path) : target.endpoints.edge as string

/** A REST client of one user. */
export function restClient (system: Target, token: string | undefined) {
  return async function send<Body = unknown> (
    path: string,
    { method, body, headers = {} }: Send = {}
  ): Promise<Answer<Body>> {
    const response = await fetch(`${originOf(system, path)}${path}`, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000)
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: (text ? JSON.parse(text) : undefined) as Body }
  }
}

/** All fields that the payload of a job event may have. */
export type JobEventPayload = JobProgressPayload & JobCompletedPayload & JobFailedPayload
export type SocketEvent = { event: string, payload: JobEventPayload }

/** A Socket.IO client that records all events, and resumes from the last event that it received. */
export async function socketClient (t: TestContext, system: Target, token: string, transports = ['websocket']) {
  const events: SocketEvent[] = []
  let lastEventId: string | undefined
  const socket: Socket = io(originOf(system, '/socket.io/'), {
    transports,
    forceNew: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 500,
    auth: answer => answer({ token, ...(lastEventId && { lastEventId }) })
  })
  t.teardown(() => socket.disconnect())
  socket.onAny((event: string, payload: JobEventPayload & { lastEventId?: string }) => {
    events.push({ event, payload })
    lastEventId = payload.eventId ?? payload.lastEventId ?? lastEventId
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('session', () => resolve())
    socket.once('connect_error', reject)
  })
  const received = (event: string, jobId?: string) =>
    events.filter(e => e.event === event && (jobId === undefined || e.payload.jobId === jobId)).map(e => e.payload)
  return { socket, events, received }
}

/** The error with which a connection attempt is refused. */
export async function connectError (
  system: Target,
  auth: object
): Promise<{ message: string, data?: { code?: string } }> {
  const options = { transports: ['websocket'], forceNew: true, reconnection: false, auth }
  const socket = io(originOf(system, '/socket.io/'), options)
  try {
    return await new Promise((resolve, reject) => {
      socket.once('connect_error', resolve)
      socket.once('connect', () => reject(new Error('the connection was accepted')))
    })
  } finally {
    socket.disconnect()
  }
}
