import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import fp from 'fastify-plugin'
import { corsOrigins, type CommonConfig } from './config.ts'

/** Headers that clients in a browser may read. */
const EXPOSED = ['etag', 'location', 'retry-after', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset', 'x-request-id']

/** CORS by CORS_ORIGIN, and the headers that keep a browser from misusing our answers. */
export const browserGuards = fp<{ config: CommonConfig }>(async function browserGuards (app, { config }) {
  await app.register(cors, {
    origin: corsOrigins(config),
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
    exposedHeaders: EXPOSED,
    maxAge: 600
  })
  // The others of helmet's headers are for pages, and each costs on every answer; its policy would be put together anew each time.
  await app.register(helmet, {
    contentSecurityPolicy: false,
    crossOriginOpenerPolicy: false,
    crossOriginResourcePolicy: false,
    originAgentCluster: false,
    referrerPolicy: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false
  })
  app.addHook('onRequest', (_request, reply, done) => {
    reply.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
    done()
  })
}, { name: 'browser-guards' })
