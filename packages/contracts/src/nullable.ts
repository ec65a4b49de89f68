import { Type, type Static, type TSchema } from 'typebox'
import { withoutName } from './without-name.ts'

/**
 * The schema's type or null, as a list of types: with a union the validator would report a fault for each part. It is
 * not the named schema any more.
 */
export function nullable<Schema extends TSchema & { type: string }> (schema: Schema, description?: string) {
  const own = { ...withoutName(schema), ...(description !== undefined && { description }) }
  return Type.Unsafe<Static<Schema> | null>({ ...own, type: [schema.type, 'null'] })
}

/** One of the values, or null. */
export function NullableEnum<const Value extends string> (values: Value[], options: object = {}) {
  return Type.Unsafe<Value | null>({ ...options, enum: [...values, null] })
}
