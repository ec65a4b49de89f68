import type { FastifyInstance } from 'fastify'
import { adding } from './adding.ts'
import { changing } from './changing.ts'
import { flows } from './flows.ts'
import { processing } from './processing.ts'
import { removing } from './removing.ts'
import { scheduling } from './scheduling.ts'
import type { Transition } from './transition.ts'

/** All transitions of docs/bullmq.md, in its order. */
export const TRANSITIONS: Transition[] = [...adding, ...scheduling, ...processing, ...flows, ...changing, ...removing]
export const QUEUES = [...new Set(TRANSITIONS.map(({ queue }) => queue))]

/** The counters of the two shared queues never return the same id, so that their jobs cannot be mixed up. */
export async function separateIds (app: FastifyInstance) {
  await app.redis.set('bull:idle:id', 1_000_000)
}
