import { defineCommand } from 'citty'
import type { Bulk } from 'tidings'
import { serverCommand } from '../command.ts'
import type { Column } from '../output.ts'
import { bulkLine } from '../run-bulk.ts'
import { duration } from '../text.ts'

const columns: Column<Bulk>[] = [
  { title: 'ID', text: ({ bulkId }) => bulkId },
  { title: 'ACTION', text: ({ action }) => action },
  { title: 'STATE', text: ({ state }) => state },
  { title: 'DONE', text: ({ done, matched }) => `${done}/${matched}` },
  { title: 'FAILED', text: ({ failed }) => String(failed) },
  { title: 'AGE', text: ({ createdAt }) => duration(Date.now() - Date.parse(createdAt)) }
]

const ID = { type: 'positional', required: true, description: 'The id of the bulk action' } as const

export const bulk = defineCommand({
  meta: { name: 'bulk', description: 'Show and stop actions on many jobs or deliveries' },
  subCommands: {
    ls: serverCommand({
      name: 'ls',
      description: 'List the newest 100 bulk actions',
      run: async ({ client, out, signal }) => out.table(await client.bulk.list({ signal }), columns, 'no bulk actions')
    }),
    get: serverCommand({
      name: 'get',
      description: 'Show a bulk action',
      args: { id: ID },
      run: async ({ args, client, out, signal }) => {
        const bulk = await client.bulk.get(args.id, { signal })
        out.value(bulk, () => bulkLine(bulk))
      }
    }),
    stop: serverCommand({
      name: 'stop',
      description: 'Stop a bulk action; items that it has not begun stay as they are',
      args: { id: ID },
      run: async ({ args, client, out, signal }) => {
        const bulk = await client.bulk.stop(args.id, { signal })
        out.value(bulk, () => bulkLine(bulk))
      }
    })
  }
})
