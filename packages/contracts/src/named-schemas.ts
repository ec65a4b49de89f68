type Json = Record<string, unknown>

/** Stands in place of a named schema until swagger, which drops `$id`, has converted the routes. */
const MARK = 'x-named'

/** Values of these keywords are data and hold no schemas. */
const DATA = new Set(['example', 'examples', 'default', 'enum', 'const'])

/** Schemas that have an `$id`, by it: the `components.schemas` of an OpenAPI document. */
export type NamedSchemas = ReturnType<typeof createNamedSchemas>

/**
 * Collects the named schemas of a document. A schema with an `$id` is in `components.schemas` under it, once, and
 * every other place refers to it. Only the document is changed: validators and serializers get the schemas whole.
 */
export function createNamedSchemas () {
  const components = new Map<string, Json>()

  /**
   * A copy of the schemas of a route, or of a part of it, with a mark in place of each named schema.
   * @throws Error where two different schemas have the same `$id`
   */
  function mark (value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) return value.map(mark)
    const { $id: name, ...schema } = value as Json
    const copy = mapSchemas(schema, mark)
    if (typeof name !== 'string') return copy
    add(name, withReferences(copy) as Json)
    // Swagger moves both to the place that refers to the schema.
    const { description, examples } = schema
    const moved = Object.entries({ description, examples }).filter(([, value]) => value !== undefined)
    return { [MARK]: name, ...Object.fromEntries(moved) }
  }

  function add (name: string, schema: Json): void {
    const known = components.get(name)
    if (known === undefined) {
      components.set(name, schema)
    } else if (JSON.stringify(known) !== JSON.stringify(schema)) {
      throw new Error(`Two different schemas have the $id ${name}: a copy with changes needs a name of its own, or none`)
    }
  }

  return {
    mark,
    /** The document with references in place of the marks, and the named schemas in order of their names. */
    refer<Document extends { components?: object }> (document: Document): Document {
      const schemas = Object.fromEntries([...components].sort(([a], [b]) => a < b ? -1 : 1))
      const referring = withReferences(document) as Document
      return { ...referring, components: { ...referring.components, schemas } }
    }
  }
}

function withReferences (value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(withReferences)
  const { [MARK]: name, patternProperties, ...rest } = value as Json
  if (name !== undefined) return { $ref: `#/components/schemas/${name as string}` }
  const copy = mapSchemas(rest, withReferences)
  if (patternProperties === undefined) return copy
  // A record: generators of clients read `additionalProperties` only.
  return { ...copy, additionalProperties: withReferences(Object.values(patternProperties as Json)[0]) }
}

/** The keywords of a schema, with a change of the schemas in them. Properties may have the names of keywords. */
function mapSchemas (keywords: Json, change: (schema: unknown) => unknown): Json {
  return Object.fromEntries(Object.entries(keywords).map(([key, part]) => {
    if (DATA.has(key)) return [key, part]
    if (key !== 'properties' || typeof part !== 'object' || part === null) return [key, change(part)]
    return [key, Object.fromEntries(Object.entries(part).map(([name, schema]) => [name, change(schema)]))]
  }))
}
