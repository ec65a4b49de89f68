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
      onError: (reply, { error }) => {
        const answer = reply as FastifyReply // the edge speaks HTTP/1 only
        balancer.failed(answer.request.gateway)
        sendUnreachable(answer, { service, error })
      },
      ...options.replyOptions
    }
  })

  await forward('jobs-api', ['/submit-job', '/submit-jobs', '/jobs', '/jobs/*', '/auth/refresh'], { upstream: config.jobsApi })
  await forward('webhook-dispatcher', ['/webhooks', '/webhooks/*', '/deliveries', '/deliveries/*'], { upstream: config.dispatcher })
  await forward('realtime-gateway', ['/socket.io', '/socket.io/*', '/ws', '/events', '/jobs/:jobId/stream', '/auth/ticket'], {
    upstream: '',
    preHandler: (request, reply, done) => {
      request.gateway = balancer.pick(request.raw)
      const cookie = request.url.startsWith('/socket.io') ? balancer.cookie(request.gateway) : undefined
      if (cookie !== undefined) reply.header('set-cookie', cookie)
      done()
    },
    replyOptions: { getUpstream: request => (request as FastifyRequest).gateway }
  })
}, { name: 'http-proxy-routes' })

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
  }
}
