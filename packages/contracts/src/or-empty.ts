import { Type, type Static, type TSchema } from 'typebox'
import { withoutName } from './without-name.ts'

type Text = TSchema & { pattern?: string, enum?: readonly string[] }

/**
 * A text in a query that may be empty, as HTML forms send fields that were not filled in: `validatorCompiler` of
 * service-kit removes it then.
 */
export function orEmpty<Schema extends Text> (schema: Schema) {
  const { pattern, enum: values } = schema
  return Type.Unsafe<Static<Schema>>({
    ...withoutName(schema),
    ...(values ? { enum: [...values, ''] } : { minLength: 0 }),
    ...(pattern !== undefined && { pattern: `^$|${pattern}` })
  })
}
