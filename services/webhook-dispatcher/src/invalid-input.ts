import createError from '@fastify/error'

const InvalidInput = createError('INVALID_INPUT', 'The request is not valid', 400)

/** A fault of the input that no schema can tell, with its path as the validator would write it. */
export type Fault = { path: string, message: string }

export function invalidInput (errors: Fault[]): Error {
  return Object.assign(new InvalidInput(), { errors })
}
