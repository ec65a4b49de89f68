import fp from 'fastify-plugin'
import { jsonText } from '@tidings/contracts'
import { asyncApiDocument } from '@tidings/contracts/asyncapi'
import { compact, sendJson, VERSION } from '@tidings/service-kit'
import { PAGE_HEADERS, renderPage } from './page.ts'

/** `/asyncapi.json`, and the same as a page at `/docs/events`. Both are made once, at the start. */
export const eventDocs = fp(async function eventDocs (app) {
  const document = asyncApiDocument(VERSION)
  const json = jsonText(document)
  const page = renderPage(document)
  const options = { config: { access: 'public' }, schema: { hide: true }, onSend: compact } as const

  app.get('/asyncapi.json', options, async (_request, reply) => sendJson(reply, json))
  app.get('/docs/events', options, async (_request, reply) => await reply.headers(PAGE_HEADERS).send(page))
}, { name: 'event-docs', dependencies: ['access-control'] })
