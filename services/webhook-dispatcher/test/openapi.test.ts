import { readFile } from 'node:fs/promises'
import t from 'tap'
import { describeApi } from '../src/openapi.ts'

type Operation = {
  operationId?: string, summary?: string, tags?: string[], security?: object[], responses: Record<string, unknown>
}
type Document = { paths: Record<string, Record<string, Operation>> }

t.test('the document in docs/openapi is that of the routes (pnpm openapi writes it)', async t => {
  const written = await readFile(new URL('../../../docs/openapi/webhook-dispatcher.json', import.meta.url), 'utf8')
  t.same(JSON.parse(written), JSON.parse(JSON.stringify(await describeApi())))
})

t.test('each operation has a name of its own, a summary, a tag and its errors', async t => {
  const { paths } = await describeApi() as Document
  const operations = Object.values(paths).flatMap(path => Object.values(path))
  t.equal(operations.length, 26)
  t.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length)
  for (const { operationId, summary, tags, responses, security } of operations) {
    t.ok(operationId && summary && tags?.length === 1, `${operationId}`)
    for (const status of ['400', '401', '429', '500', '503']) t.ok(responses[status], `${operationId} ${status}`)
    t.match(security, [{ bearer: [/^(webhooks:(read|write)|operator:read)$/] }], `${operationId} names its scope`)
  }
})
