/** A schema without its `$id`, the name that it has in OpenAPI documents: for a schema that differs from it. */
export function withoutName<Schema extends object> (schema: Schema): Omit<Schema, '$id'> {
  const { $id: _name, ...keywords } = schema as Schema & { $id?: string }
  return keywords
}
