import postgres from 'postgres'
import t from 'tap'
import * as contracts from '@tidings/contracts'
import { createDatabase } from '@tidings/testing'
import { faults } from '../chaos/faults/index.ts'
import { WATCHED } from '../chaos/system/health.ts'
import { migrateAll } from './migrate.ts'
import { filesOf, read } from './pages.ts'

const page = read('docs/runbook.md')
const spans = [...page.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span)
const rows = page.split('\n').filter(line => line.startsWith('| `'))
  .map(line => line.split(/(?<!\\)\|/).slice(1, -1).map(cell => cell.trim()))

t.test('docs/runbook.md has each fault of `npm run chaos` once, and no other', async t => {
  const named = rows.flatMap(([cell = '']) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name))
  t.same(named.toSorted(), faults.map(({ name }) => name).filter(name => name !== 'none').toSorted())
  for (const cells of rows) t.equal(cells.length, 5, cells.join(' | '))
})

t.test('the metrics that it names exist', async t => {
  const known = new Set(filesOf(['services/*/src/**/*.ts', 'packages/service-kit/src/**/*.ts'])
    .flatMap(path => [...read(path).matchAll(/'tidings_([a-z_]+)'/g)].map(([, name]) => name)))
  const metrics = page.split('\n').filter(line => line.startsWith('| ')).map(line => line.split(/(?<!\\)\|/)[3])
  const named = metrics.flatMap((cell = '') => [...cell.matchAll(/`([a-z]+_[a-z_]+)/g)].map(([, name]) => name))
  t.ok(named.length > 10)
  const isOurs = (name = '') => !/^(process|nodejs)_/.test(name)
  t.same(named.filter(name => isOurs(name) && !known.has(name)), [])
  t.same(named.filter(name => isOurs(name) && !WATCHED.includes(name ?? '')), [], 'the chaos run shows them')
})

t.test('its SQL fits the schemas', async t => {
  const sql = postgres((await createDatabase(t)).url, { max: 1, onnotice: () => {} })
  t.teardown(async () => await sql.end())
  await migrateAll(sql)
  const statements = spans.flatMap(span => span.split('; ')).filter(span => /^(select|show) /.test(span))
  t.ok(statements.length > 5)
  for (const statement of statements) {
    // What must not be executed is only planned.
    const isPlanned = statement.startsWith('select ')
    await t.resolves(sql.unsafe(`${isPlanned ? 'explain ' : ''}${statement.replaceAll(/<\w+>/g, '0')}`), statement)
  }
})

t.test('the keys of Redis that it names exist', async t => {
  const keys = [contracts.relayLeaseKey('default'), contracts.REPLICAS_KEY]
  const named = spans.flatMap(span => [...span.matchAll(/'(\{tidings\}[^']*)'/g)].map(([, key = '']) => key))
  t.same(named.toSorted(), keys.toSorted())
})

t.test('the variables that it names exist', async t => {
  const known = read('docs/configuration.md')
  const named = new Set([...page.matchAll(/\b([A-Z]{2,}(?:_[A-Z]+)+)\b/g)].map(([, name = '']) => name))
  t.same([...named].filter(name => !known.includes(`\`${name}\``)), [])
})
