import createError from '@fastify/error'

const Unavailable = createError('UNAVAILABLE', 'Something this needs can\'t be reached at this moment; try again', 503)

/** For what can't be done without Redis: its client names the ways in which it is away by no one name. */
export async function orUnavailable<T> (answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (cause) {
    throw Object.assign(new Unavailable(), { cause })
  }
}
