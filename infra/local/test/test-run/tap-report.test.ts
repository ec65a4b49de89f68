import t from 'tap'
import { createTapReport } from '../../src/test-run/tap-report.ts'

function read (text: string, exitCode: number | null) {
  const printed: string[] = []
  const report = createTapReport(line => printed.push(line))
  for (const line of text.split('\n')) report.line(line)
  return { counts: report.finish(exitCode), printed }
}

const PASSED = `TAP version 14
# Subtest: test/a.test.ts
    ok 1 - one
    1..1
ok 1 - test/a.test.ts # time=12ms
`
const FAILED = `# Subtest: test/b.test.ts
    ok 1 - passed
    not ok 1 - two
      ---
      diff: that
      ...
    1..1
not ok 2 - test/b.test.ts # time=9ms
  ---
  exitCode: 1
  ...
`

t.test('prints one line for a file that passed, and all failures of a file that failed', async t => {
  const { counts, printed } = read(`${PASSED}\n${FAILED}\n1..2\n# { total: 2, pass: 1, fail: 1 }\n# time=50ms`, 1)
  t.same(counts, { passed: 1, failed: 1, skipped: 0 })
  t.equal(printed[0], 'ok test/a.test.ts # time=12ms')
  t.match(
    printed.join('\n'),
    '    not ok 1 - two\n      ---\n      diff: that\n      ...\n' +
      'not ok 2 - test/b.test.ts # time=9ms\n  ---\n  exitCode: 1\n  ...'
  )
  t.notMatch(printed.join('\n'), 'ok 1 - passed')
  t.notMatch(printed.join('\n'), 'TAP version')
})

t.test('counts skipped and todo separately', async t => {
  t.same(read(`${PASSED}\n# { total: 4, pass: 2, skip: 1, todo: 1 }`, 0).counts, { passed: 2, failed: 0, skipped: 2 })
})

t.test('a file without tests is a failure', async t => {
  const { counts, printed } = read(
    '# Subtest: test/c.test.ts\n    ok 1 - x\nok 1 - test/c.test.ts # time=3ms\n' +
      'ok 2 - test/d.test.ts # SKIP no tests found\n# { total: 2, pass: 1, skip: 1 }',
    0
  )
  t.same(counts, { passed: 1, failed: 1, skipped: 0 })
  t.match(printed.at(-1), 'which counts as a failure')
})

t.test('a failure that tap does not count is counted', async t => {
  t.same(read('', 0).counts, { passed: 0, failed: 1, skipped: 0 }, 'nothing ran')
  t.same(read('No valid test files found', 1).counts, { passed: 0, failed: 1, skipped: 0 })
  t.same(
    read(`${PASSED}\n# { total: 1, pass: 1 }`, 1).counts,
    { passed: 1, failed: 1, skipped: 0 },
    'tap says failure and counts none'
  )
  t.same(read(PASSED, null).counts, { passed: 0, failed: 1, skipped: 0 }, 'tap was killed')
})

t.test('prints the output of a file that never ended', async t => {
  const { printed } = read('# Subtest: test/e.test.ts\n    ok 1 - so far', null)
  t.match(printed.join('\n'), 'ok 1 - so far')
})
