import t from 'tap'
import { parseExact } from '../src/lib/exact-json.ts'
import { jsonText, labelOf, linesOf, openDepth, pathFrom } from '../src/ui/json/lines.ts'

const LARGE = '{"id":9007199254740993,"small":12.50,"list":[{"a":1},[]],"odd key":null}'
const all = () => true

t.test('integers that a number cannot hold keep their digits, on the screen and when they are written', async t => {
  const value = parseExact(LARGE)
  t.equal(JSON.stringify(value), LARGE.replace('12.50', '12.5'))
  t.match(jsonText(value), '"id": 9007199254740993')
  t.equal(linesOf(value, all).find(({ key }) => key === 'id')?.text, '9007199254740993')
})

t.test('lines name their paths, and end with commas as JSON does', async t => {
  const lines = linesOf(parseExact(LARGE), all)
  t.same(lines.map(({ depth, key, text, hasComma }) => [depth, key, text + (hasComma ? ',' : '')]), [
    [0, undefined, '{'],
    [1, 'id', '9007199254740993,'],
    [1, 'small', '12.5,'],
    [1, 'list', '['],
    [2, undefined, '{'],
    [3, 'a', '1'],
    [2, undefined, '},'],
    [2, undefined, '[]'],
    [1, undefined, '],'],
    [1, 'odd key', 'null'],
    [0, undefined, '}']
  ])
  t.same(lines.filter(({ kind }) => kind !== 'close').map(({ path }) => path), [
    '$', '$.id', '$.small', '$.list', '$.list[0]', '$.list[0].a', '$.list[1]', '$["odd key"]'
  ])
})

t.test('each value but the whole has a key or a place, by which its path is copied', async t => {
  const lines = linesOf(parseExact(LARGE), all)
  t.same(lines.map(labelOf), [
    undefined, '"id"', '"small"', '"list"', '0', '"a"', undefined, '1', undefined, '"odd key"', undefined
  ])
  const copied = lines.filter(line => labelOf(line) !== undefined).map(line => pathFrom('returnvalue', line))
  t.same(copied, [
    'returnvalue.id', 'returnvalue.small', 'returnvalue.list', 'returnvalue.list[0]', 'returnvalue.list[0].a',
    'returnvalue.list[1]', 'returnvalue["odd key"]'
  ])
})

t.test('a large value is folded until about two hundred lines remain, and nothing below is visited', async t => {
  const rows = Array.from({ length: 50_000 }, (_, id) => ({ id }))
  t.equal(openDepth({ rows, total: 1 }), 1)
  const visited: string[] = []
  const lines = linesOf({ rows, total: 1 }, (path, depth) => {
    visited.push(path)
    return depth < 1
  })
  t.equal(lines.length, 4)
  t.same(visited, ['$', '$.rows'])
  t.equal(lines[1]?.count, 50_000)
})
