type Batches = { size: number, signal: AbortSignal }

/**
 * Removes batch by batch until a batch is not full or the signal aborts: there may be days of backlog when the service
 * closes. Returns the number of removed rows.
 */
export async function inBatches (
  removeBatch: (size: number) => Promise<number>, { size, signal }: Batches
): Promise<number> {
  let removed = 0
  while (!signal.aborted) {
    const count = await removeBatch(size)
    removed += count
    if (count < size) break
  }
  return removed
}
