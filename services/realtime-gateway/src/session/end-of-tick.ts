const callbacks = new Set<() => void>()

/** Runs a callback once at the end of this tick of the event loop, no matter how often it is passed. */
export function atEndOfTick (callback: () => void): void {
  if (callbacks.size === 0) queueMicrotask(runAll)
  callbacks.add(callback)
}

function runAll () {
  const due = [...callbacks]
  callbacks.clear()
  for (const callback of due) callback()
}
