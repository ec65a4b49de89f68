import t from 'tap'
import { createDatabase } from '@tidings/testing'
import { booleanArray, createSql, joinedJson, pgColumns, numberArray, textArray } from '../src/index.ts'

const { url } = await createDatabase(t)
const sql = createSql(url, { max: 1 })
t.teardown(() => sql.end())

const awkward = [
  '', ' ', 'null', 'NULL', '"', '\\', '\\"', 'a,b', '{a}', '{', '\n', '\x1e', 'ü日🙂', "'", '$1', '\\x1e', null,
  undefined
]

t.test('Postgres reads back what was given', async t => {
  const numbers = [0, -1, 1.5, 1e-7, 2 ** 53 - 1, null, undefined]
  const [row] = await sql`
    select to_json(${numberArray(numbers)}::float8[]) as numbers, to_json(${numberArray([3, null])}::bigint[]) as integers,
           to_json(${textArray(awkward)}::text[]) as texts, to_json(${booleanArray([true, false])}::boolean[]) as booleans`
  t.same(row, {
    numbers: numbers.map(value => value ?? null),
    integers: [3, null],
    texts: awkward.map(value => value ?? null),
    booleans: [true, false]
  })
})

t.test('empty lists', async t => {
  const [row] = await sql`
    select ${numberArray([])}::int[] = '{}' as numbers, ${textArray([])}::text[] = '{}' as texts, ${booleanArray([])}::boolean[] = '{}' as booleans,
           string_to_array(${joinedJson([])}, chr(30), '') = '{}' as json`
  t.same(row, { numbers: true, texts: true, booleans: true, json: true })
})

t.test('columns of rows stay aligned, JSON included', async t => {
  const values = [null, ...awkward.map(value => value ?? null), { list: [1, '\x1e', { a: null }] }]
  const rows = values.map((value, n) => ({ n, json: value === null ? null : JSON.stringify(value) }))
  for (const some of [rows, rows.slice(0, 1), rows.slice(1, 2)]) {
    const { numbers, json } = pgColumns(some)
    const read = await sql`
      select * from unnest(${numbers('n')}::int[], string_to_array(${json('json')}, chr(30), '')) as row (n, json) order by n`
    t.same([...read], some)
  }
})
