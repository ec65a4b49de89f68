import { Type, type Static } from 'typebox'
import { erasureStatusKey } from './redis-keys.ts'

/** The services that store data of users; each reports once its data of a user is deleted. */
export const ERASING_SERVICES = ['jobs-api', 'webhook-dispatcher'] as const
export type ErasingService = typeof ERASING_SERVICES[number]

/**
 * What the services use of Redis for erasures. jobs-api keeps the record in Postgres and writes pending ones to
 * `ERASURES_KEY` (erasure id → user id) repeatedly until every service has reported, so a service only polls Redis
 * every few seconds; erasing twice does no harm. There are a few entries at most: operators request them one by one.
 */
type ErasureRedis = {
  hexists: (key: string, field: string) => Promise<number>
  hset: (key: string, field: string, value: number) => Promise<number>
}

/** Whether a service has reported that all data of the user is deleted. */
export async function isErased (redis: ErasureRedis, erasureId: string, service: ErasingService): Promise<boolean> {
  return await redis.hexists(erasureStatusKey(erasureId), service) === 1
}

/** Reports that a service has deleted all data of the user, with the time in milliseconds. */
export async function reportErased (redis: ErasureRedis, erasureId: string, service: ErasingService): Promise<void> {
  await redis.hset(erasureStatusKey(erasureId), service, Date.now())
}

const Done = Type.Unsafe<string | null>(
  { type: ['string', 'null'], description: 'When all data of the user was deleted there; null until then' }
)

/** `GET /users/:userId/erasures/:erasureId`, and the response of `DELETE /users/:userId`. */
export const Erasure = Type.Object({
  erasureId: Type.String({ format: 'uuid' }),
  state: Type.Enum(['pending', 'done']),
  requestedAt: Type.String({ format: 'date-time' }),
  services: Type.Object({ 'jobs-api': Done, 'webhook-dispatcher': Done })
}, {
  $id: 'Erasure',
  examples: [{
    erasureId: '0198c1f6-7a3e-7b2c-9d41-5f0c2a9e4b17',
    state: 'pending',
    requestedAt: '2026-01-01T00:00:00.000Z',
    services: { 'jobs-api': '2026-01-01T00:00:05.000Z', 'webhook-dispatcher': null }
  }]
})
export type Erasure = Static<typeof Erasure>
