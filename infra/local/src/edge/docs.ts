import scalar from '@scalar/fastify-api-reference'
import { compact } from '@tidings/service-kit'
import fp from 'fastify-plugin'
import type { EdgeConfig } from './config.ts'

const TIMEOUT_MS = 3_000
const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch'])

/** The reference alone: without the services of its vendor, and without anything loaded from other sites. */
const PAGE = {
  url: '/openapi.json',
  title: 'Tidings',
  showDeveloperTools: 'never',
  agent: { disabled: true },
  mcp: { disabled: true },
  hideClientButton: true,
  telemetry: false,
  withDefaultFonts: false
} as const

interface OpenApi {
  info: { title: string, version: string, description?: string }
  paths?: Record<string, Record<string, object>>
  components?: { schemas?: Record<string, unknown>, securitySchemes?: Record<string, unknown> }
  security?: unknown[]
}

/** `/docs`: one page for the REST APIs of all services, merged from their `/openapi.json`. */
export const docs = fp<{ config: EdgeConfig }>(async function docs (app, { config }) {
  const sources = {
    'jobs-api': config.jobsApi,
    'realtime-gateway': config.gateways[0] ?? '',
    'webhook-dispatcher': config.dispatcher
  }
  app.get('/', (_request, reply) => { reply.redirect('/docs') })
  app.get('/openapi.json', { onSend: compact }, async () => {
    const documents = await Promise.all(Object.entries(sources).map(async ([service, url]) => {
      try {
        const response = await fetch(`${url}/openapi.json`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
        return prefixed(await response.json() as OpenApi, service)
      } catch (err) {
        app.log.warn({ err, service }, 'no OpenAPI document') // the page is useful without it too
        return undefined
      }
    }))
    return merge(documents.filter(document => document !== undefined))
  })
  // The script of the page has 4.9 MB; `compact` compresses it, and sends a 304 to a visitor that has it.
  await app.register(async app => {
    app.addHook('onSend', compact)
    await app.register(scalar, { routePrefix: '/docs', configuration: PAGE })
  })
}, { name: 'docs' })

/**
 * Prefixes schema names with the name of the service, and tags operations with it: two services may use the same names.
 */
function prefixed (document: OpenApi, service: string): OpenApi {
  const text = JSON.stringify(document).replaceAll('"#/components/schemas/', `"#/components/schemas/${service}.`)
  const copy = JSON.parse(text) as OpenApi
  const schemas = Object.entries(copy.components?.schemas ?? {}).map(([name, schema]) => [`${service}.${name}`, schema])
  for (const path of Object.values(copy.paths ?? {})) {
    for (const [method, operation] of Object.entries(path)) {
      if (METHODS.has(method)) path[method] = { tags: [service], ...operation }
    }
  }
  return {
    ...copy,
    components: { ...copy.components, schemas: Object.fromEntries(schemas) as Record<string, unknown> }
  }
}

function merge (documents: OpenApi[]): OpenApi & { openapi: string } {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tidings',
      version: documents[0]?.info.version ?? '0.0.0',
      description: 'Submit jobs, poll them, and manage webhooks.'
    },
    paths: Object.assign({}, ...documents.map(({ paths }) => paths)) as NonNullable<OpenApi['paths']>,
    components: {
      schemas: Object.assign({}, ...documents.map(({ components }) => components?.schemas)) as Record<string, unknown>,
      securitySchemes: Object.assign(
        {},
        ...documents.map(({ components }) => components?.securitySchemes)
      ) as Record<string, unknown>
    },
    security: documents[0]?.security ?? []
  }
}
