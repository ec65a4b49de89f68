import { Type, type Static, type TSchema } from 'typebox'

/** The schema's type or null, as a list of types: with a union the validator would report a fault for each part. */
export function nullable<Schema extends TSchema & { type: string }> (schema: Schema) {
  return Type.Unsafe<Static<Schema> | null>({ ...schema, type: [schema.type, 'null'] })
}

/** One of the values, or null. */
export function NullableEnum<const Value extends string> (values: Value[], options: object = {}) {
  return Type.Unsafe<Value | null>({ ...options, enum: [...values, null] })
}
