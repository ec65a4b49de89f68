import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { egressRules, fingerprint } from '@tidings/service-kit'
import { keepFinished } from '../submit/submission.ts'

/** The headers of a route that a client may repeat safely. */
export const IdempotencyHeaders = Type.Object({
  'idempotency-key': Type.Optional(Type.String({
    minLength: 1,
    maxLength: 255,
    pattern: '^[\\u0020-\\u007e]+$',
    description: 'A repeated request with the same key and body within 24 hours gets the first response'
  }))
})

export const JobLocation = { location: Type.String({ description: 'The path of the job' }) }

/** What the routes that submit jobs share. */
export function submitContext (app: FastifyInstance) {
  const { config, queueNames } = app
  const [defaultQueue] = queueNames
  const keep = keepFinished(config)

  return {
    rules: { queues: queueNames, egress: egressRules(config) },
    submissionContext: (userId: string) => ({ userId, defaultQueue, keep }),
    /** `body` identifies the request: without nulls, since a field that is null and one left out make the same. */
    contextOf: ({ headers, log, ownerId, routeOptions }: FastifyRequest, body: object) => {
      const key = headers['idempotency-key'] as string | undefined
      const bodyHash = key === undefined ? '' : fingerprint(routeOptions.url ?? '', body)
      const repeatable = key === undefined ? undefined : { userId: ownerId, key, bodyHash }
      const findQueue = (name: string) => app.findQueue(name)
      return { sql: app.sql, findQueue, log, maxOpen: config.JOBS_OPEN_MAX_PER_USER, repeatable }
    }
  }
}
