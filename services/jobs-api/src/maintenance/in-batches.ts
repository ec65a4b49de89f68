type Pages = { size: number, signal: AbortSignal }

/** Removes page by page, until one is not full or the signal aborts: there may be days of it, and a service that closes. */
export async function inPages (removePage: (size: number) => Promise<number>, { size, signal }: Pages): Promise<number> {
  let removed = 0
  while (!signal.aborted) {
    const some = await removePage(size)
    removed += some
    if (some < size) break
  }
  return removed
}
