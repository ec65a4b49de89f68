import { Type, type Static, type TSchema } from 'typebox'

/** A value of the schema, which names one type, or null: as a list of types, since of a union each part is a fault of its own. */
export function nullable<Schema extends TSchema & { type: string }> (schema: Schema) {
  return Type.Unsafe<Static<Schema> | null>({ ...schema, type: [schema.type, 'null'] })
}

/** One of the values, or null. */
export function NullableEnum<const Value extends string> (values: Value[], options: object = {}) {
  return Type.Unsafe<Value | null>({ ...options, enum: [...values, null] })
}
