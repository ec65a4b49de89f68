import { TidingsError } from './errors.ts'

/** What of Standard Schema is used: the schemas of Zod, Valibot, ArkType and others fit. https://standardschema.dev */
export interface Schema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input, readonly output: Output } | undefined
  }
}

type SchemaResult<Output> =
  | { readonly value: Output, readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] }

export type InputOf<S> = S extends Schema<infer Input, unknown> ? Input : unknown
export type OutputOf<S> = S extends Schema<unknown, infer Output> ? Output : unknown

/** The value as the schema has it; rejects with `invalid_value` where that refuses it. */
export async function validate<Output> (
  schema: Schema<unknown, Output>, value: unknown, what: string
): Promise<Output> {
  const found = await schema['~standard'].validate(value)
  if (!found.issues) return found.value
  const { issues } = found
  throw new TidingsError('invalid_value', `${what}: ${issues.map(({ message }) => message).join('; ')}`, { issues })
}
