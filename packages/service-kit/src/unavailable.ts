import createError from '@fastify/error'

const Unavailable = createError('UNAVAILABLE', '%s', 503)

/** The error of a request that cannot be handled at the moment, to be thrown: a 503 with Retry-After. */
export function unavailable (detail = 'A dependency is unavailable; try again', cause?: unknown): Error {
  return Object.assign(new Unavailable(detail), cause !== undefined && { cause })
}

/**
 * The outcome of a promise; any rejection becomes a 503. For Redis: ioredis has no common error class for "not
 * connected".
 */
export async function orUnavailable<T> (promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (cause) {
    throw unavailable(undefined, cause)
  }
}
