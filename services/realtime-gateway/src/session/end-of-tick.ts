const flushes = new Set<() => void>()

/** Calls a flush once at the end of this turn of the event loop, however often it is asked for. */
export function atEndOfTick (flush: () => void): void {
  if (flushes.size === 0) queueMicrotask(runAll)
  flushes.add(flush)
}

function runAll () {
  const due = [...flushes]
  flushes.clear()
  for (const flush of due) flush()
}
