import scalar from '@scalar/fastify-api-reference'
import { compact } from '@tidings/service-kit'
import fp from 'fastify-plugin'
import type { EdgeConfig } from './config.ts'

const TIMEOUT_MS = 3_000

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
  servers?: unknown[]
  tags?: unknown[]
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
  app.get('/openapi.json', { onSend: compact }, async () => {
    const documents = await Promise.all(Object.entries(sources).map(async ([service, url]) => {
      try {
        const response = await fetch(`${url}/openapi.json`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
        return await response.json() as OpenApi
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

/** Schemas of the same name are the same: test/docs/openapi.test.ts compares them. */
function merge (documents: OpenApi[]): OpenApi & { openapi: string } {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tidings',
      version: documents[0]?.info.version ?? '0.0.0',
      description: 'Submit jobs, poll them, and manage webhooks. What arrives by itself: [events](/docs/events).'
    },
    servers: documents[0]?.servers ?? [],
    tags: documents.flatMap(({ tags = [] }) => tags),
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
