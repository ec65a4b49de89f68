import { Type, type Static, type TSchema } from 'typebox'

type Text = TSchema & { pattern?: string, enum?: readonly string[] }

/**
 * A text in a query that may stand there without a value, as HTML forms send fields that nobody filled in: it is left
 * out then, before anybody reads it (`validatorCompiler` of service-kit).
 */
export function orEmpty<Schema extends Text> (schema: Schema) {
  const { pattern, enum: values } = schema
  return Type.Unsafe<Static<Schema>>({
    ...schema,
    ...(values ? { enum: [...values, ''] } : { minLength: 0 }),
    ...(pattern !== undefined && { pattern: `^$|${pattern}` })
  })
}
