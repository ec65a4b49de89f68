import cors from '@fastify/cors'
import fp from 'fastify-plugin'
import type { CommonConfig } from './config.ts'
import { corsSettings } from './cors.ts'

/**
 * Keep a browser from misusing API responses. The other headers of helmet are for pages, and each costs on every
 * response; @fastify/helmet composes these again for each (3 µs).
 */
const GUARD_HEADERS = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN'
}

/** CORS by CORS_ORIGIN, and the guard headers. */
export const browserGuards = fp<{ config: CommonConfig }>(async function browserGuards (app, { config }) {
  await app.register(cors, corsSettings(config))
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(GUARD_HEADERS)
    done()
  })
}, { name: 'browser-guards' })
