import type { Redis } from 'ioredis'
import { until } from '@tidings/testing'
import { readRelayState } from '../src/relay/relay-state.ts'

/**
 * Resolves once the open jobs were compared with BullMQ as often as that was requested: by the first start of a queue's
 * relay too, which would otherwise be made up for by the next one.
 */
export async function untilCompared (redis: Redis, queue = 'default'): Promise<void> {
  await until(async () => {
    const { requested, reconciled } = await readRelayState(redis, queue)
    return requested > 0 && requested === reconciled
  }, { what: 'the comparison with BullMQ' })
}
