import { Type, type TSchemaOptions } from 'typebox'

/**
 * An integer that 32 bits hold: a status, a number of attempts. The OpenAPI documents describe all others without a
 * `maximum` that says so as int64, since generators of clients take 32 bits where nothing is said.
 */
export const Int32 = (options: TSchemaOptions = {}) => Type.Integer({ format: 'int32', ...options })
