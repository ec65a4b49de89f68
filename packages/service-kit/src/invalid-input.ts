import createError from '@fastify/error'

const InvalidInput = createError('INVALID_INPUT', 'The request is not valid', 400)

/** A fault of the input that no schema expresses, with its path as the validator writes it: `body.jobs.3.name`. */
export type InputFault = { path: string, message: string }

/** The error for invalid input, to be thrown: a 400 whose `errors` names each fault. */
export function invalidInput (errors: InputFault[]): Error {
  return Object.assign(new InvalidInput(), { errors })
}
