import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import cors from '@fastify/cors'
import fp from 'fastify-plugin'
import helmet, { type HelmetOptions } from 'helmet'
import type { CommonConfig } from './config.ts'
import { corsSettings } from './cors.ts'

/** The others of helmet's headers are for pages, and each costs on every answer. */
const GUARDS: HelmetOptions = {
  contentSecurityPolicy: { useDefaults: false, directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] } },
  crossOriginOpenerPolicy: false,
  crossOriginResourcePolicy: false,
  originAgentCluster: false,
  referrerPolicy: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false
}

/** CORS by CORS_ORIGIN, and the headers that keep a browser from misusing our answers. */
export const browserGuards = fp<{ config: CommonConfig }>(async function browserGuards (app, { config }) {
  await app.register(cors, corsSettings(config))
  const guards = guardHeaders()
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(guards)
    done()
  })
}, { name: 'browser-guards' })

/** What helmet sets on an answer. It is the same on each, so it is asked once: @fastify/helmet puts it together anew every time (3 µs). */
function guardHeaders () {
  const request = new IncomingMessage(new Socket())
  const response = new ServerResponse(request)
  helmet(GUARDS)(request, response, err => { if (err) throw err })
  return response.getHeaders()
}
