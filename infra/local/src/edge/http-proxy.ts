import { Readable } from 'node:stream'
import proxy from '@fastify/http-proxy'
import type { FastifyHttpProxyOptions } from '@fastify/http-proxy'
import { PROBLEM_JSON } from '@tidings/contracts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { EdgeConfig } from './config.ts'
import type { GatewayBalancer } from './gateway-balancer.ts'

const UPSTREAM_CONNECTIONS = {
  connect: { timeout: 2_000 },
  headersTimeout: 60_000, // a long poll answers after 30 s at the latest
  bodyTimeout: 0, // a body may be a stream without an end (SSE), silent for as long as nothing happens
  connections: null // each long poll and each stream holds one: as many as there are clients
}

type RewriteHeaders = NonNullable<NonNullable<FastifyHttpProxyOptions['replyOptions']>['rewriteRequestHeaders']>
interface HttpProxyOptions { config: EdgeConfig, balancer: GatewayBalancer }

/** Which paths are whose. An upgrade never comes here (see upgrades.ts). */
export const httpProxy = fp<HttpProxyOptions>(async function httpProxy (app, { config, balancer }) {
  app.decorateRequest('gateway', '')
  app.decorateRequest('tries', 0)
  // Whole bodies, bounded here: a service that refuses the head of a streamed body closes, and the client's
  // connection goes with it before the refusal is read. As a stream again, because the proxy would encode a buffer as JSON.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, Readable.from([body])))

  const forward = (service: string, routes: string[], options: FastifyHttpProxyOptions & { websocket?: false }) => app.register(proxy, {
    routes,
    undici: UPSTREAM_CONNECTIONS,
    destroyAgent: true,
    disableRequestLogging: true,
    proxyPayloads: false,
    ...options,
    replyOptions: {
      rewriteRequestHeaders: forwardedHeaders,
      // A 503 is an answer to tell, not a reason to ask again on the client's behalf.
      retryDelay: () => null,
      onError: (reply, { error }) => sendUnreachable(reply as FastifyReply, { service, error }), // the edge speaks HTTP/1 only
      ...options.replyOptions
    }
  })

  await forward('jobs-api', ['/submit-job', '/submit-jobs', '/jobs', '/jobs/*', '/auth/refresh'], { upstream: config.jobsApi })
  await forward('webhook-dispatcher', ['/webhooks', '/webhooks/*', '/deliveries', '/deliveries/*'], { upstream: config.dispatcher })
  await forward('realtime-gateway', ['/socket.io', '/socket.io/*', '/ws', '/events', '/jobs/:jobId/stream', '/auth/ticket'], {
    upstream: '',
    preHandler: (request, reply, done) => {
      request.tries = config.gateways.length
      chooseGateway(request, reply)
      done()
    },
    replyOptions: { getUpstream: gatewayOf, onError: tryAnother }
  })

  function chooseGateway (request: FastifyRequest, reply: FastifyReply) {
    request.tries--
    request.gateway = balancer.pick(request.raw)
    const cookie = request.url.startsWith('/socket.io') ? balancer.cookie(request.gateway) : undefined
    if (cookie !== undefined) reply.removeHeader('set-cookie').header('set-cookie', cookie)
  }

  /** A browser's EventSource does not come back after a 502: what only reads is asked of the other gateways first. */
  function tryAnother (reply: unknown, { error }: { error: Error }) {
    const answer = reply as FastifyReply
    const { request } = answer
    balancer.left(request.gateway)
    if (request.method !== 'GET' || request.tries === 0) return sendUnreachable(answer, { service: 'realtime-gateway', error })
    chooseGateway(request, answer)
    answer.from(undefined, { rewriteRequestHeaders: forwardedHeaders, retryDelay: () => null, getUpstream: gatewayOf, onError: tryAnother })
  }
}, { name: 'http-proxy-routes' })

const gatewayOf = (request: unknown) => (request as FastifyRequest).gateway

const forwardedHeaders: RewriteHeaders = ({ ip, host, protocol, id }, headers) => ({
  ...headers,
  'x-forwarded-for': headers['x-forwarded-for'] === undefined ? ip : `${String(headers['x-forwarded-for'])}, ${ip}`,
  'x-forwarded-host': host,
  'x-forwarded-proto': protocol,
  'x-request-id': id
})

function sendUnreachable (reply: FastifyReply, { service, error }: { service: string, error: Error }): void {
  const isLate = 'statusCode' in error && error.statusCode === 504
  const [status, title] = isLate ? [504, 'Gateway Timeout'] : [502, 'Bad Gateway']
  reply.code(status).header('content-type', PROBLEM_JSON).send(JSON.stringify({
    type: `urn:tidings:problem:${isLate ? 'gateway-timeout' : 'bad-gateway'}`,
    title,
    status,
    detail: `${service} ${isLate ? 'did not answer in time' : 'is not reachable'}; try again in a moment`,
    instance: `urn:request:${reply.request.id}`
  }))
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Where a request to the gateways goes. */
    gateway: string
    /** How many gateways may still be asked, should this one not answer. */
    tries: number
  }
}
