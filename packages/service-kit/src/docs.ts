import swagger from '@fastify/swagger'
import fp from 'fastify-plugin'
import { Problem, PROBLEM_JSON } from '@tidings/contracts'
import { compact } from './compact.ts'

/** Description of a service's API. */
export type DocsOptions = {
  title: string
  description: string
  version: string
  /** Authentication beside the bearer token, by name. */
  securitySchemes?: Record<string, object>
}

/** Collects the routes' schemas in an OpenAPI 3.1 document at `/openapi.json`. To be registered before the routes. */
export const docs = fp<DocsOptions>(async function docs (app, { title, description, version, securitySchemes }) {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title, description, version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
      components: {
        securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }, ...securitySchemes }
      },
      security: [{ bearer: [] }]
    },
    transformObject: document =>
      'openapiObject' in document ? withProblems(document.openapiObject as Document) : document.swaggerObject
  })
  app.get('/openapi.json', { schema: { hide: true }, onSend: compact }, async () => app.swagger())
}, { name: 'docs' })

type Response = { content?: Record<string, { schema?: object }> }
type Document = {
  paths?: Record<string, Record<string, { responses?: Record<string, Response> }>>, components?: { schemas?: object }
}

/** Each operation has several problem responses: their schema is in the document once. */
function withProblems (document: Document): Document {
  const operations = Object.values(document.paths ?? {}).flatMap(path => Object.values(path))
  for (const { responses = {} } of operations) {
    for (const { content } of Object.values(responses)) {
      if (content?.[PROBLEM_JSON]) content[PROBLEM_JSON].schema = { $ref: '#/components/schemas/Problem' }
    }
  }
  return { ...document, components: { ...document.components, schemas: { ...document.components?.schemas, Problem } } }
}
