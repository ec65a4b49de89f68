import Fastify, { type FastifyInstance } from 'fastify'
import { jwtAuth } from '@tidings/contracts'
import { docs, type DocsOptions } from './docs.ts'
import { validatorCompiler } from './validator-compiler.ts'

type Described = {
  api: DocsOptions
  /** Registers the routes, and stand-ins for the decorators of their service. */
  register: (app: FastifyInstance) => void
}

/** A service's OpenAPI document, made from its routes without databases or configuration. */
export async function openApiDocument ({ api, register }: Described): Promise<object> {
  const app = Fastify().setValidatorCompiler(validatorCompiler)
  app.register(docs, api)
  app.register(jwtAuth, { settings: { TOKEN_SECRET: 'none' } })
  register(app)
  await app.ready()
  const document = app.swagger()
  await app.close()
  return document
}
