import fastifyJwt from '@fastify/jwt'
import { Queue } from 'bullmq'
import Fastify from 'fastify'
import postgres from 'postgres'
import { Server } from 'socket.io'
import { notifyUsers } from './notifications.ts'
import { findOwner } from './owner.ts'
import { postWithFetch } from './post.ts'
import { jobRoutes } from './routes/jobs.ts'
import { webhookRoutes } from './routes/webhooks.ts'
import type { Settings } from './settings.ts'
import { acceptSockets } from './sockets.ts'
import { createTables } from './tables.ts'
import { webhooksIn } from './webhooks.ts'
import type { Webhooks } from './webhooks.ts'

/** The parts that the tuned monolith replaces; everything else is the same. */
export interface Parts {
  findOwner: typeof findOwner
  webhooks: (webhooks: Webhooks) => Webhooks
  post: typeof postWithFetch
}

const OBVIOUS: Parts = { findOwner, webhooks: inPostgres => inPostgres, post: postWithFetch }

/** Jobs, sockets and webhooks in one process, as many products start. */
export function buildApp (settings: Settings, parts: Parts = OBVIOUS) {
  const connection = { url: settings.redisUrl, maxRetriesPerRequest: null }
  const sql = postgres(settings.databaseUrl, { onnotice: () => {} })
  const queue = new Queue(settings.queueName, { connection })
  const webhooks = parts.webhooks(webhooksIn(sql))

  const app = Fastify()
  const io = new Server(app.server, { cors: { origin: '*' } })
  app.register(fastifyJwt, { secret: settings.tokenSecret })
  app.addHook('onReady', () => createTables(sql))
  app.register(async function api (api) {
    api.addHook('onRequest', request => request.jwtVerify())
    api.register(jobRoutes, { queue, sql })
    api.register(webhookRoutes, { webhooks })
  })
  app.addHook('onReady', async () => {
    acceptSockets(io, token => app.jwt.verify(token))
    await notifyUsers({ queue, connection, io, webhooks, findOwner: parts.findOwner, post: parts.post })
  })
  return app
}
