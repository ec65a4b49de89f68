import { readFile } from 'node:fs/promises'
import t from 'tap'
import { describeApi } from '../src/openapi.ts'

type Operation = {
  operationId?: string,
  summary?: string,
  tags?: string[],
  security?: unknown[],
  responses: Record<string,
  { description: string, content?: Record<string, { example?: unknown }> }>
}
type Document = { openapi: string, paths: Record<string, Record<string, Operation>> }

t.test('the document in docs/openapi is that of the routes (pnpm openapi writes it)', async t => {
  const written = await readFile(new URL('../../../docs/openapi/jobs-api.json', import.meta.url), 'utf8')
  t.same(JSON.parse(written), JSON.parse(JSON.stringify(await describeApi())))
})

t.test('each operation has a name of its own, a summary, a tag, an example and its errors', async t => {
  const { openapi, paths } = JSON.parse(JSON.stringify(await describeApi())) as Document
  t.equal(openapi, '3.1.0')
  const operations = Object.values(paths).flatMap(path => Object.values(path))
  t.equal(operations.length, 19)
  t.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length)
  for (const { operationId, summary, tags, responses, security } of operations) {
    t.ok(operationId && summary && tags?.length === 1, operationId ?? 'no name')
    for (const status of ['400', '401', '429', '500', '503']) t.ok(responses[status], `${operationId} ${status}`)
    const success = responses['200'] ?? responses['202']
    t.ok(success?.content?.['application/json']?.example, `${operationId} shows an answer`)
    t.notMatch(success?.description, 'Default Response')
    if (operationId === 'refreshTokens') t.same(security, [])
    else if (operationId === 'getMe') t.equal(security, undefined, 'any token')
    else t.match(security, [{ bearer: [/^(jobs:(read|write)|operator:(read|write))$/] }], `${operationId} names its scope`)
  }
})
