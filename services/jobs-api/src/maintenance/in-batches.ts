import type { Run } from '@tidings/service-kit'

export type Retention = Run & { days: number }

/**
 * Removes batch by batch until a batch is not full or the signal aborts: there may be days of backlog when the service
 * closes. Returns the number of removed rows.
 */
export async function inBatches (
  removeBatch: (size: number) => Promise<number>, size: number, { signal, alive }: Run
): Promise<number> {
  let removed = 0
  while (!signal.aborted) {
    const count = await removeBatch(size)
    alive?.()
    removed += count
    if (count < size) break
  }
  return removed
}
