import postgres, { type Sql } from 'postgres'
import t from 'tap'
import { createDatabase } from '@tidings/testing'
import * as contracts from '@tidings/contracts'
import { migrate, migrateAll, SCHEMAS } from './migrate.ts'
import { filesOf, firstCells, read } from './pages.ts'

const page = read('docs/data-model.md')

for (const { schema, folder } of SCHEMAS) {
  t.test(`docs/data-model.md names each table, column and index of schema ${schema}, and no other`, async t => {
    const sql = postgres((await createDatabase(t)).url, { max: 1, onnotice: () => {} })
    t.teardown(async () => await sql.end())
    await migrate(sql, { schema, folder })

    const tables = await tablesOf(sql, schema)
    const headings = [...page.matchAll(new RegExp(`^### \`(${schema}\\.\\w+)\`$`, 'gm'))].map(
      match => match[1] as string
    )
    t.same(headings.toSorted(), Object.keys(tables).toSorted())
    for (const [table, names] of Object.entries(tables)) {
      t.same(firstCells(page, `### \`${table}\``).toSorted(), names.toSorted(), table)
    }
  })
}

t.test('the SQL of the guides fits the schemas', async t => {
  const sql = postgres((await createDatabase(t)).url, { max: 1, onnotice: () => {} })
  t.teardown(async () => await sql.end())
  await migrateAll(sql)
  for (const guide of filesOf(['docs/guides/*.md'])) {
    for (const [, statement = ''] of read(guide).matchAll(/^```sql\n(.*?)^```/gms)) {
      await t.resolves(sql.unsafe(`explain ${statement}`), statement)
    }
  }
})

t.test('docs/data-model.md names each key of Redis', async t => {
  const { keys, constants } = redisKeys()
  const named = firstCells(page, '## Redis')
  t.same(
    [...keys, ...constants].filter(key => !named.some(name => name.replaceAll(/<\w+>/g, 'x').replace('…', '') === key)),
    []
  )
})

/** The names of columns and indexes by table or view; a partition has those of its table. */
async function tablesOf (sql: Sql, schema: string): Promise<Record<string, string[]>> {
  const rows = await sql<{ table: string, name: string }[]>`
    with partitions as (select relname from pg_class where relispartition and relnamespace = ${schema}::regnamespace)
    select table_name as table, column_name as name from information_schema.columns
    where table_schema = ${schema} and table_name not in (select relname from partitions)
    union all
    select tablename, indexname from pg_indexes
    where schemaname = ${schema} and tablename not in (select relname from partitions)`
  const tables: Record<string, string[]> = {}
  for (const { table, name } of rows) (tables[`${schema}.${table}`] ??= []).push(name)
  return tables
}

/** Those of contracts: functions with each argument replaced by x, and constants. */
function redisKeys () {
  const exported = Object.entries(contracts)
  const keys = exported.flatMap(([name, value]) => name.endsWith('Key') && typeof value === 'function'
    ? [(value as (...args: string[]) => string)('x', 'x', 'x')]
    : [])
  const constants = exported.flatMap(([, value]) => typeof value === 'string' && value.startsWith('{tidings}')
    ? [
        value
      ]
    : [])
  return { keys, constants }
}
