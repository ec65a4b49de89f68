import createError from '@fastify/error'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Type, type Static } from 'typebox'
import { bearerToken, JobId, problemResponse, QueueName, TokenRefused } from '@tidings/contracts'
import { parseEventId } from '@tidings/job-events'
import { invalidInput, isNamed, problemResponses, unavailable } from '@tidings/service-kit'
import type { Credentials } from '../../admission/http-hooks-plugin.ts'
import type { RedeemedTicket } from '../../admission/tickets.ts'
import type { Grant, Session, SessionKind } from '../../session/session.ts'
import { subscribe } from '../../session/subscribe.ts'
import { isTransient, type Outcome } from '../../session/subscribe-request.ts'
import { SseTransport } from './sse-transport.ts'
import { answerStreamError, isEventSource } from './stream-errors.ts'

const PING_MS = 15_000

/** For how long a job's stream looks up a job that is unknown or unavailable before it answers. */
const FIND_JOB_MS = 3000

const TICKET_USER = { path: 'querystring.userId', message: 'must be the user that the ticket was issued for' }

const TICKET_REFUSED = 'The ticket is unknown, expired, or was used for another stream: request another one'

const NotFound = createError('NOT_FOUND', 'No such job', 404)

const Headers = Type.Object({
  'last-event-id': Type.Optional(Type.String({
    description: 'The id of the last received event: the stream resumes after it. An EventSource sends it by itself.',
    examples: ['1640995200000-0']
  }))
})
const EventsQuery = Type.Object({
  ticket: Type.Optional(Type.String({
    maxLength: 128,
    description: 'From `POST /auth/ticket`, in place of the Authorization header: ' +
      'for one stream and its reconnects with Last-Event-ID'
  })),
  lastEventId: Type.Optional(Type.String({
    maxLength: 64,
    description: 'Where to resume; the header Last-Event-ID takes precedence',
    examples: ['1640995200000-0']
  }))
}, { additionalProperties: false })
const JobQuery = Type.Object({
  ...EventsQuery.properties,
  queue: Type.Optional(QueueName)
}, { additionalProperties: false })
const JobParams = Type.Object({ jobId: JobId })

type EventsRoute = { Querystring: Static<typeof EventsQuery>, Headers: Static<typeof Headers> }
type JobRoute = {
  Querystring: Static<typeof JobQuery>
  Headers: Static<typeof Headers>
  Params: Static<typeof JobParams>
}

const exampleJob = { id: '0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17', name: 'dataProcessing', queue: 'default' }
const { id: jobId, name, queue } = exampleJob
const HELLO = block('session', {
  userId: 1, recovered: false, lastEventId: '1640995200000-0', expiresAt: 1640998800000
}, '1640995200000-0')
const PROGRESS = block('job:progress', {
  eventId: '1640995200500-0', jobId, name, queue, userId: 1, progress: 75, timestamp: 1640995200500
}, '1640995200500-0')
const SNAPSHOT = block('job', {
  ...exampleJob,
  state: 'active',
  progress: 50,
  attempts: { made: 1, max: 1 },
  timestamp: { created: 1640995200000, started: 1640995200010, finished: null },
  lastEventId: '1640995200000-0'
})

const streamed = (description: string, ...blocks: string[]) => ({
  200: { description, content: { 'text/event-stream': { schema: Type.String(), example: blocks.join('\n') } } },
  ...problemResponses(),
  403: problemResponse('The token lacks the scope, or pages of this origin may not connect')
})

/** By header, or by ticket without one. */
const security = [{ bearer: [] }, { ticket: [] }]

/** Server-sent events: `GET /events` for all of a user's jobs, `GET /jobs/:jobId/stream` for one. */
export const sse = fp(async function sse (app) {
  const { sessions, subscribeOptions, tickets } = app
  const transports = new Set<SseTransport>()
  const timer = setInterval(() => { for (const transport of transports) transport.ping() }, PING_MS).unref()
  app.addHook('onClose', async () => clearInterval(timer))

  app.decorateRequest('ticket', null)
  app.decorateRequest('streamSession', null)
  const { onRequest, preHandler } = app.admissionHooks('sse', credentialsOf)

  const config = { access: 'jobs:read', isAccessChecked: true } as const

  app.get<EventsRoute>('/events', {
    config,
    exposeHeadRoute: false, // it would open a session that nobody reads
    schema: {
      operationId: 'streamEvents',
      summary: 'Stream all events of your jobs',
      description: 'The stream starts with `session`, whose `recovered` is true if nothing is missing ' +
        'since the requested position.',
      tags: ['realtime'],
      security,
      querystring: EventsQuery,
      headers: Headers,
      response: streamed(
        '`session`, then `job:progress`, `job:completed`, `job:failed` and `job:state`, each with its event id',
        HELLO, PROGRESS
      )
    },
    onRequest,
    preHandler,
    errorHandler: answerStreamError
  }, async (request, reply) => {
    const { session } = open(request, reply, 'user')
    await sessions.begin(session, lastEventIdOf(request))
    return reply
  })

  app.get<JobRoute>('/jobs/:jobId/stream', {
    config,
    exposeHeadRoute: false,
    schema: {
      operationId: 'streamJob',
      summary: 'Stream a job and its events',
      description: 'The stream starts with `session` and `job`, the current state of the job. ' +
        'Each later event is sent once.',
      tags: ['realtime'],
      security,
      querystring: JobQuery,
      headers: Headers,
      params: JobParams,
      response: {
        ...streamed(
          '`session` and `job`, then `job:progress`, `job:completed`, `job:failed` and `job:state` of this job',
          HELLO, SNAPSHOT, PROGRESS
        ),
        ...problemResponses(404, 414)
      }
    },
    onRequest,
    preHandler,
    errorHandler: answerStreamError
  }, async (request, reply) => {
    const { session, transport } = open(request, reply, 'job')
    session.cursor.flush() // its events go to the subscription, which buffers by itself
    const { params: { jobId }, query: { queue } } = request
    const wanted = { jobId, queue, lastEventId: lastEventIdOf(request) }
    await subscribe(session, wanted, subscribeOptions, {
      notify: outcome => answer({ session, reply, outcome, since: wanted.lastEventId }),
      from: 'the snapshot',
      isOver: (error, ageMs) => isOver({ error, ageMs, transport, request })
    })
    return reply
  })

  function open (request: FastifyRequest, reply: FastifyReply, kind: SessionKind) {
    const transport = new SseTransport(reply)
    const session = sessions.open(transport, request.grant as Grant, kind)
    request.streamSession = session
    request.ticket?.keepUntil(session.identity.acceptedUntil)
    transports.add(transport)
    reply.raw.on('error', err => request.log.debug({ err }, 'sse: connection failed'))
    reply.raw.once('close', () => {
      transports.delete(transport)
      session.closed()
    })
    return { session, transport }
  }

  type Failure = { error: string, ageMs: number, transport: SseTransport, request: FastifyRequest }

  /**
   * A job that is unknown, or unavailable, is looked up again for a moment before that is the answer. A browser would
   * never retry after a response that is not a stream, so for an EventSource the stream starts, and waits.
   */
  function isOver ({ error, ageMs, transport, request }: Failure): boolean {
    if (!isTransient(error)) return true
    if (transport.hasStarted) return error === 'not found' && ageMs >= subscribeOptions.unknownJobMs
    if (ageMs < FIND_JOB_MS) return false
    if (error === 'not found' || !isEventSource(request)) return true
    transport.start()
    return false
  }

  type JobAnswer = { session: Session, reply: FastifyReply, outcome: Outcome, since: string | undefined }

  /** A refusal is an HTTP response as long as the stream has not started. */
  function answer ({ session, reply, outcome: { ack, retrying }, since }: JobAnswer) {
    if (retrying) return
    if (!ack.ok && reply.raw.headersSent) {
      session.send('subscribe:error', { error: ack.error, retrying })
      return session.end(ack.error === 'not found' ? 'not_found' : 'unavailable')
    }
    if (!ack.ok) {
      session.closed()
      throw ack.error === 'not found' ? new NotFound() : unavailable('The job is unavailable now; try again')
    }
    const { job, lastEventId, recovered } = ack
    sessions.sendHello(session, { since, recovered, position: lastEventId })
    session.send('job', job)
  }

  async function credentialsOf (request: FastifyRequest, reply: FastifyReply): Promise<Credentials> {
    const { ticket, userId } = request.query as EventsRoute['Querystring'] & { userId?: string }
    const token = bearerToken(request.headers.authorization)
    if (token !== undefined || ticket === undefined) return { token, userId }
    const redeemed = await redeem(ticket, request, reply)
    if (!redeemed) throw new TokenRefused('token_invalid', TICKET_REFUSED)
    if (isNamed(userId) && userId !== redeemed.userId) throw invalidInput([TICKET_USER])
    return { token: redeemed.token, userId: redeemed.userId }
  }

  /** A ticket is for one stream. Until that has started the ticket can be used again. */
  async function redeem (ticket: string, request: FastifyRequest, reply: FastifyReply) {
    const scope = ticketScopeOf(request)
    const redeemed = await tickets.redeem(ticket, { scope, isReturning: isReturning(request) })
    if (!redeemed) return undefined
    request.ticket = redeemed
    reply.raw.once('close', () => { if (!request.streamSession?.helloSent) redeemed.restore() })
    return redeemed
  }
}, { name: 'sse', dependencies: ['admission-hooks', 'tickets', 'sessions'] })

type Positioned = { headers: EventsRoute['Headers'], query: EventsRoute['Querystring'] }

function lastEventIdOf ({ headers, query }: Positioned): string | undefined {
  return headers['last-event-id'] || query.lastEventId
}

/** Only the header counts: a client adds it by itself when it reconnects with the same URL. */
function isReturning ({ headers }: FastifyRequest): boolean {
  return parseEventId(String(headers['last-event-id'] ?? '')) !== undefined
}

/** The stream that a ticket was redeemed for, and the origin of the page. */
function ticketScopeOf ({ url, query, headers: { origin = '' } }: FastifyRequest): string {
  const { queue = '' } = query as JobRoute['Querystring']
  return JSON.stringify([url.split('?')[0], queue, origin])
}

/** A block of an event stream, for the examples. */
function block (event: string, data: object, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n`
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The ticket that admitted this client, if it was a ticket. */
    ticket: RedeemedTicket | null
    /** The session whose stream is the response to this request. */
    streamSession: Session | null
  }
}
