import t from 'tap'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '@tidings/local'
import { runTest } from './run-test.ts'
import { createVerdictReader } from './verdict.ts'

const { signal } = new AbortController()
const project = mkdtempSync(join(tmpdir(), 'proofs-'))
t.teardown(() => rmSync(project, { recursive: true, force: true }))
mkdirSync(join(project, 'test'))
symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'))
writeFileSync(join(project, 'package.json'), '{ "type": "module" }')

async function verdictOf (source: string, name = '') {
  const file = join('test', 'a.test.ts')
  writeFileSync(join(project, file), source)
  return await runTest(project, { file, name }, signal)
}

const TESTS = `import t from 'tap'
t.test('sums (all)', async t => { t.equal(1, 1); t.equal(1, 2, 'two sums') })
t.test('others', async t => { t.ok(true) })
`

t.test('a failed assertion has caught the mutation, in the test that is named', async t => {
  t.same(await verdictOf(TESTS, 'sums (all)'), { is: 'caught', by: 'two sums' })
  t.same(await verdictOf(TESTS, 'none'), { is: 'broken', by: 'no test ran' })
})

t.test('a file that cannot be started proves nothing', async t => {
  t.same(await verdictOf('import t from \'./none.ts\'\nt.ok(true)\n'), { is: 'broken', by: 'it ended with 1' })
})

const read = (exitCode: number | null, ...lines: string[]) => {
  const reader = createVerdictReader()
  for (const line of lines) reader.line(line)
  return reader.verdict(exitCode)
}

t.test('an error in a test proves nothing, and passed tests say that the mutation survived', async t => {
  const details = ['      ---', '      type: TypeError', '      tapCaught: returnedPromiseRejection', '      ...']
  t.same(read(1, '    not ok 1 - boom', ...details, 'not ok 1 - a # time=5ms'), { is: 'broken', by: 'boom' })
  t.same(read(0, '    ok 1 - fine', 'ok 1 - a # time=5ms', 'ok 2 - b # SKIP filter: /a/'), { is: 'survived' })
  t.same(
    read(1, '    not ok 1 - boom', ...details, '    not ok 2 - sums', '      ---', '      diff: x', '      ...'),
    { is: 'caught', by: 'sums' }, 'an assertion counts, whatever else failed'
  )
})

t.test('a wait in vain and a property that does not hold are assertions, though they are thrown', async t => {
  for (const name of [
    'waited 30000 ms in vain for it', 'states are waiting and not completed', 'Property failed after 3 tests'
  ]) {
    const details = ['      ---', '      tapCaught: returnedPromiseRejection', '      ...']
    t.same(read(1, `    not ok 1 - ${name}`, ...details), { is: 'caught', by: name })
  }
})

t.test('what tap reports about a test that did not end is not an assertion', async t => {
  t.same(read(1, '    not ok 2 - test unfinished', '      ---', '      ...', 'not ok 1 - a # time=5ms'), {
    is: 'broken', by: 'test unfinished'
  })
  t.same(read(null, '    ok 1 - fine'), { is: 'broken', by: 'it ended with null' })
})
