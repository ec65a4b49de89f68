/**
 * What Redis answers, or a rejection once the signal aborts. A connection that
 * is closed while Redis is away never settles the commands that wait in it
 * (ioredis 6: nothing flushes its offline queue when the retry timer is cleared).
 */
export async function unlessAborted<Answer> (answer: Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  try {
    return await Promise.race([answer, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
