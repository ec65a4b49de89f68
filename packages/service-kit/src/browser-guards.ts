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
  await app.register(helmet, { contentSecurityPolicy: { directives: { defaultSrc: ["'none'"] } }, crossOriginResourcePolicy: false })
}, { name: 'browser-guards' })
