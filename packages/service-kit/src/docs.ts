import swagger from '@fastify/swagger'
import type { FastifySchema } from 'fastify'
import fp from 'fastify-plugin'
import { createNamedSchemas } from '@tidings/contracts'
import { compact } from './compact.ts'
import { withInt64 } from './int64.ts'

/** Description of a service's API. */
export type DocsOptions = {
  title: string
  description: string
  version: string
  /** What the operations of each tag are about. */
  tags: Record<string, string>
  /** Authentication beside the bearer token, by name. */
  securitySchemes?: Record<string, object>
}

/** Relative to the document: the same one describes an edge and a service alone. */
const SERVERS = [{ url: '/', description: 'The origin that serves this document: an edge, or the service itself' }]

/** Collects the routes' schemas in an OpenAPI 3.1 document at `/openapi.json`. To be registered before the routes. */
export const docs = fp<DocsOptions>(async function docs (app, { title, description, version, tags, securitySchemes }) {
  const named = createNamedSchemas()
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title, description, version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
      servers: SERVERS,
      tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, ...securitySchemes }
      },
      security: [{ bearer: [] }]
    },
    transform: ({ schema, url }) => ({ schema: schema?.hide ? schema : named.mark(schema) as FastifySchema, url }),
    transformObject: document =>
      'openapiObject' in document
        ? withInt64(withOptionalBodies(named.refer(document.openapiObject) as Document))
        : document.swaggerObject
  })
  app.get('/openapi.json', { schema: { hide: true }, onSend: compact }, async () => app.swagger())
}, { name: 'docs' })

type Schema = { type?: unknown, $ref?: string }
type Operation = { requestBody?: { required?: boolean, content?: Record<string, { schema?: Schema }> } }
type Document = {
  paths?: Record<string, Record<string, Operation>>, components?: { schemas?: Record<string, Schema> }
}

/** A body that may be null may be left out: `@fastify/swagger` describes every body as required. */
function withOptionalBodies (document: Document): Document {
  const { paths = {}, components: { schemas = {} } = {} } = document
  const typeOf = ({ type, $ref }: Schema) => $ref ? schemas[$ref.replace('#/components/schemas/', '')]?.type : type
  for (const { requestBody } of Object.values(paths).flatMap(path => Object.values(path))) {
    const types = Object.values(requestBody?.content ?? {}).flatMap(({ schema }) => schema && typeOf(schema))
    if (types.includes('null')) delete requestBody?.required
  }
  return document
}
