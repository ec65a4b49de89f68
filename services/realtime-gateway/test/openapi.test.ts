import { readFile } from 'node:fs/promises'
import t from 'tap'
import { describeApi } from '../src/openapi.ts'

type Content = Record<string, { example?: unknown }>
type Operation = {
  operationId?: string
  summary?: string
  tags?: string[]
  security?: object[]
  responses: Record<string, { content?: Content }>
}
type Document = {
  openapi: string
  info: { version: string }
  paths: Record<string, Record<string, Operation>>
  components: { securitySchemes: object }
}

const document = JSON.parse(JSON.stringify(await describeApi())) as Document

t.test('the document in docs/openapi is that of the routes (npm run openapi writes it)', async t => {
  const written = await readFile(new URL('../../../docs/openapi/realtime-gateway.json', import.meta.url), 'utf8')
  t.same(JSON.parse(written), document)
})

t.test('its version is that of the package', async t => {
  const { version } = JSON.parse(
    await readFile(new URL('../package.json', import.meta.url), 'utf8')
  ) as { version: string }
  t.equal(document.info.version, version)
})

t.test('each operation has an id, a summary, a tag, an example and its errors', async t => {
  const operations = Object.values(document.paths).flatMap(path => Object.values(path))
  t.same(operations.map(({ operationId }) => operationId), ['createTicket', 'streamEvents', 'streamJob'])
  for (const { operationId, summary, tags, responses } of operations) {
    t.ok(summary && tags?.length === 1, `${operationId}`)
    for (const status of ['400', '401', '429', '500', '503']) t.ok(responses[status], `${operationId} ${status}`)
    const [content] = Object.values((responses['200'] ?? responses['201'])?.content ?? {})
    t.ok(content?.example, `${operationId} shows an answer`)
  }
})

t.test('a stream is authorized by the token or by a ticket', async t => {
  t.same(Object.keys(document.components.securitySchemes), ['bearer', 'ticket'])
  for (const path of ['/events', '/jobs/{jobId}/stream']) {
    t.same(document.paths[path]?.get?.security, [{ bearer: ['jobs:read'] }, { ticket: [] }])
  }
})
