import { readFile } from 'node:fs/promises'
import t from 'tap'
import { PAGE, renderReference } from '../scripts/reference.ts'

t.test('docs/client.md is written from the declarations of the client (npm run docs)', async t => {
  const page = await readFile(PAGE, 'utf8')
  t.equal(page, renderReference())
  for (const text of [
    '`submitMany (jobs: NewJob[], options?: OnceOptions): Promise<JobHandle[]>`',
    '`get (bulkId: string, options?: RequestOptions): Promise<Bulk>`',
    '`deliveries (id: number, options?: DeliveriesOptions): Pages<DeliverySummary, DeliveryList>`',
    '  - `migrate (options?: RequestOptions): Promise<CreatedWebhook>`: Makes it a webhook.',
    '`bulkId: string`: Id of the bulk action'
  ]) t.ok(page.includes(text), text)
})
