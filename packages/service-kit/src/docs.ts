import swagger from '@fastify/swagger'
import fp from 'fastify-plugin'

type DocsOptions = { title: string, description: string, version: string }

/** Gathers the routes' schemas into one OpenAPI 3.1 document at `/openapi.json`. To be registered before the routes. */
export const docs = fp<DocsOptions>(async function docs (app, { title, description, version }) {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title, description, version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
      security: [{ bearer: [] }]
    }
  })
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
}, { name: 'docs' })
