export type JsonSchema = {
  type?: string | string[]
  enum?: unknown[]
  anyOf?: JsonSchema[]
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: boolean | JsonSchema
  items?: JsonSchema
  minItems?: number
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  pattern?: string
  format?: string
}

type Media = { schema: JsonSchema, example?: unknown, examples?: Record<string, { value: unknown }> }
type Content = Record<string, Media>

export type Parameter = {
  name: string
  in: 'query' | 'path' | 'header'
  required: boolean
  schema: JsonSchema
  example?: unknown
}

export type Example = { place: 'request' | number, schema: JsonSchema, value: unknown }

export type Operation = {
  operationId: string
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  parameters: Parameter[]
  body: JsonSchema | undefined
  /** By status; undefined where an answer has no body. */
  answers: Map<number, JsonSchema | undefined>
  /** Of the body of the request, and of the responses by status. */
  examples: Example[]
}

type Described = {
  operationId: string
  parameters?: Parameter[]
  requestBody?: { content: Content }
  responses: Record<string, { content?: Content }>
}
type Document = {
  paths: Record<string, Record<string, Described>>
  components: { schemas: Record<string, JsonSchema> }
}

const NAMED = '#/components/schemas/'

/** A copy of an OpenAPI or AsyncAPI document with the named schemas in place of the references to them. */
export function withoutReferences (document: object): object {
  const text = JSON.stringify(document)
  const { components: { schemas } } = JSON.parse(text) as Document
  return JSON.parse(text, (_key, value: unknown) => resolve(value)) as object

  function resolve (value: unknown): unknown {
    const { $ref } = (value ?? {}) as { $ref?: unknown }
    if (typeof $ref !== 'string' || !$ref.startsWith(NAMED)) return value
    return JSON.parse(JSON.stringify(schemas[$ref.slice(NAMED.length)]), (_key, inner: unknown) => resolve(inner))
  }
}

/** The operations of an OpenAPI document, references resolved. */
export function operationsOf (document: object): Operation[] {
  const { paths } = withoutReferences(document) as Document
  return Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, described]) => ({
    operationId: described.operationId,
    method: method.toUpperCase() as Operation['method'],
    path,
    parameters: described.parameters ?? [],
    body: described.requestBody?.content['application/json']?.schema,
    answers: new Map(Object.entries(described.responses).map(([status, { content }]) =>
      [Number(status), Object.values(content ?? {})[0]?.schema])),
    examples: [
      ...examplesOf('request', described.requestBody?.content),
      ...Object.entries(described.responses).flatMap(([status, { content }]) => examplesOf(Number(status), content))
    ]
  })))
}

function examplesOf (place: Example['place'], content: Content = {}): Example[] {
  return Object.values(content).flatMap(({ schema, example, examples = {} }) =>
    [...(example === undefined ? [] : [example]), ...Object.values(examples).map(({ value }) => value)]
      .map(value => ({ place, schema, value })))
}
