import createError from '@fastify/error'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Type, type Static } from 'typebox'
import { bearerToken, JobId, problemResponse, QueueName } from '@tidings/contracts'
import { parseEventId } from '@tidings/job-events'
import { problemResponses } from '@tidings/service-kit'
import type { Grant } from '../../session/session.ts'
import type { RedeemedTicket } from '../../admission/tickets.ts'
import type { Session } from '../../session/session.ts'
import { subscribe } from '../../session/subscribe.ts'
import { isTransient, type Outcome } from '../../session/subscribe-request.ts'
import { answerStreamError, isEventSource } from './stream-errors.ts'
import { SseTransport } from './sse-transport.ts'

const PING_MS = 15_000

/** How long a job's stream looks for a job that is not known, or can't be asked for, before it answers. */
const FIND_JOB_MS = 3000

const NotFound = createError('NOT_FOUND', 'No such job', 404)
const Unavailable = createError('UNAVAILABLE', 'The job cannot be asked for now, try again', 503)

const Headers = Type.Object({
  'last-event-id': Type.Optional(Type.String({ description: 'Where to go on from: the id of the last event that came. An EventSource sends it by itself.', examples: ['1640995200000-0'] }))
})
const EventsQuery = Type.Object({
  ticket: Type.Optional(Type.String({ maxLength: 128, description: 'Of `POST /auth/ticket`, in place of the Authorization header: for one stream, and for its returns with Last-Event-ID' })),
  lastEventId: Type.Optional(Type.String({ maxLength: 64, description: 'Where to go on from; the header Last-Event-ID goes before it', examples: ['1640995200000-0'] }))
}, { additionalProperties: false })
const JobQuery = Type.Object({ ...EventsQuery.properties, queue: Type.Optional(QueueName) }, { additionalProperties: false })
const JobParams = Type.Object({ jobId: JobId })

type EventsRoute = { Querystring: Static<typeof EventsQuery>, Headers: Static<typeof Headers> }
type JobRoute = { Querystring: Static<typeof JobQuery>, Headers: Static<typeof Headers>, Params: Static<typeof JobParams> }

const FIRST = `id: 1640995200000-0
event: session
data: {"userId":1,"recovered":false,"lastEventId":"1640995200000-0","expiresAt":1640998800000}
`
const PROGRESS = `id: 1640995200500-0
event: job:progress
data: {"eventId":"1640995200500-0","jobId":"0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17","name":"dataProcessing","queue":"default","userId":1,"progress":75,"timestamp":1640995200500}
`
const SNAPSHOT = `event: job
data: {"id":"0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17","name":"dataProcessing","queue":"default","state":"active","progress":50,"attempts":{"made":1,"max":1},"timestamp":{"created":1640995200000,"started":1640995200010,"finished":null},"lastEventId":"1640995200000-0"}
`

const streamed = (description: string, ...blocks: string[]) => ({
  200: { description, content: { 'text/event-stream': { schema: Type.String(), example: blocks.join('\n') } } },
  ...problemResponses(),
  403: problemResponse('Pages of this origin may not connect')
})

/** By header, or by ticket where there is none. */
const security = [{ bearer: [] }, { ticket: [] }]

/** Server-sent events: `GET /events` for all of a user's jobs, `GET /jobs/:jobId/stream` for one. */
export const sse = fp(async function sse (app) {
  const { sessions, subscribeOptions, tickets } = app
  const transports = new Set<SseTransport>()
  const timer = setInterval(() => { for (const transport of transports) transport.ping() }, PING_MS).unref()
  app.addHook('onClose', async () => clearInterval(timer))

  app.decorateRequest('ticket', null)
  app.decorateRequest('streamSession', null)
  const { onRequest, preHandler } = app.admissionHooks('sse', tokenOf)

  app.get<EventsRoute>('/events', {
    exposeHeadRoute: false, // it would be a session that nobody reads
    schema: {
      operationId: 'streamEvents',
      summary: 'All events of your jobs',
      description: 'The stream begins with `session`; `recovered` says whether nothing is missing since the position that was asked for.',
      tags: ['realtime'],
      security,
      querystring: EventsQuery,
      headers: Headers,
      response: streamed('`session`, then `job:progress`, `job:completed`, `job:failed` and `job:state` as they come, each with its event id', FIRST, PROGRESS)
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
    exposeHeadRoute: false,
    schema: {
      operationId: 'streamJob',
      summary: 'A job, and all events of it',
      description: 'The stream begins with `session` and `job`, which is the job as it stands; what follows is told once.',
      tags: ['realtime'],
      security,
      querystring: JobQuery,
      headers: Headers,
      params: JobParams,
      response: {
        ...streamed('`session` and `job`, then `job:progress`, `job:completed`, `job:failed` and `job:state` of this job', FIRST, SNAPSHOT, PROGRESS),
        ...problemResponses(404, 414)
      }
    },
    onRequest,
    preHandler,
    errorHandler: answerStreamError
  }, async (request, reply) => {
    const { session, transport } = open(request, reply, 'job')
    session.cursor.flush() // what it tells goes to the subscription, which holds by itself
    const wanted = { jobId: request.params.jobId, queue: request.query.queue, lastEventId: lastEventIdOf(request) }
    await subscribe(session, wanted, subscribeOptions, {
      notify: outcome => answer({ session, reply, outcome, since: wanted.lastEventId }),
      from: 'the snapshot',
      isOver: (error, sinceMs) => isOver({ error, sinceMs, transport, request })
    })
    return reply
  })

  function open (request: FastifyRequest, reply: FastifyReply, kind: 'user' | 'job'): { session: Session, transport: SseTransport } {
    const transport = new SseTransport(reply)
    const session = sessions.open(transport, request.grant as Grant, kind)
    request.streamSession = session
    request.ticket?.keepUntil(session.identity.acceptedUntil)
    transports.add(transport)
    reply.raw.on('error', err => request.log.debug({ err }, 'sse failed'))
    reply.raw.once('close', () => {
      transports.delete(transport)
      session.closed()
    })
    return { session, transport }
  }

  /**
   * A job that is not known yet, or can't be asked for, is looked for a moment before that is the answer. A browser
   * would never try again after an answer that is no stream: for an EventSource the stream begins, and waits.
   */
  function isOver ({ error, sinceMs, transport, request }: { error: string, sinceMs: number, transport: SseTransport, request: FastifyRequest }): boolean {
    if (!isTransient(error)) return true
    if (transport.hasBegun) return error === 'not found' && sinceMs >= subscribeOptions.unknownJobMs
    if (sinceMs < FIND_JOB_MS) return false
    if (error === 'not found' || !isEventSource(request)) return true
    transport.begin()
    return false
  }

  /** A refusal is an HTTP answer as long as nothing was streamed. */
  function answer ({ session, reply, outcome: { ack, retrying }, since }: { session: Session, reply: FastifyReply, outcome: Outcome, since: string | undefined }) {
    if (retrying) return
    if (!ack.ok && reply.raw.headersSent) {
      session.send('subscribe:error', { error: ack.error, retrying })
      return session.end(ack.error === 'not found' ? 'not_found' : 'unavailable')
    }
    if (!ack.ok) {
      session.closed()
      throw ack.error === 'not found' ? new NotFound() : new Unavailable()
    }
    const { job, lastEventId, recovered } = ack
    sessions.sendHello(session, { since, recovered, position: lastEventId })
    session.send('job', job)
  }

  async function tokenOf (request: FastifyRequest, reply: FastifyReply): Promise<string | undefined> {
    const { ticket } = request.query as EventsRoute['Querystring']
    const token = bearerToken(request.headers.authorization)
    return token ?? (ticket === undefined ? undefined : await redeem(ticket, request, reply))
  }

  /** A ticket is for one stream: as long as that has not begun it is good for another try. */
  async function redeem (ticket: string, request: FastifyRequest, reply: FastifyReply): Promise<string | undefined> {
    const redeemed = await tickets.redeem(ticket, { scope: ticketScopeOf(request), isReturning: isReturning(request) })
    if (!redeemed) return undefined
    request.ticket = redeemed
    reply.raw.once('close', () => { if (!request.streamSession?.helloSent) redeemed.restore() })
    return redeemed.token
  }
}, { name: 'sse', dependencies: ['admission-hooks', 'tickets', 'sessions'] })

function lastEventIdOf ({ headers, query }: { headers: EventsRoute['Headers'], query: EventsRoute['Querystring'] }): string | undefined {
  return headers['last-event-id'] || query.lastEventId
}

/** Only the header counts: it is what a client adds by itself, when it comes back with the same URL. */
function isReturning ({ headers }: FastifyRequest): boolean {
  return parseEventId(String(headers['last-event-id'] ?? '')) !== undefined
}

/** The stream that a ticket was redeemed for, and the origin of the page. */
function ticketScopeOf ({ url, query, headers: { origin = '' } }: FastifyRequest): string {
  const { queue = '' } = query as JobRoute['Querystring']
  return JSON.stringify([url.split('?')[0], queue, origin])
}

declare module 'fastify' {
  interface FastifyRequest {
    /** What let this client in, where that was a ticket. */
    ticket: RedeemedTicket | null
    /** The session that this request's answer is the stream of. */
    streamSession: Session | null
  }
}
