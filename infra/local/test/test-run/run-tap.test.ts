import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@tidings/testing'
import t from 'tap'
import type { Test } from 'tap'
import { root } from '../../src/index.ts'
import { runTap } from '../../src/test-run/run-tap.ts'

/** A checkout with these test files and the tap of the project. */
async function run (t: Test, files: Record<string, string>) {
  const project = temporaryFolder(t, 'project')
  mkdirSync(join(project, 'test'))
  symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'))
  writeFileSync(join(project, 'package.json'), JSON.stringify({
    type: 'module',
    tap: {
      'type-strip-only': true,
      'allow-incomplete-coverage': true,
      'disable-coverage': true,
      include: ['test/*.test.ts']
    }
  }))
  for (const [name, source] of Object.entries(files)) writeFileSync(join(project, 'test', name), source)
  const printed: string[] = []
  // Without the variables of the run that this test belongs to.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TAP')))
  const counts = await runTap({
    root: project,
    files: [],
    env,
    signal: new AbortController().signal,
    print: line => printed.push(line),
    stderr: 'ignore'
  })
  return { counts, output: printed.join('\n') }
}

t.test('counts passed assertions', async t => {
  const { counts } = await run(t, {
    'a.test.ts': 'import t from \'tap\'\nt.test(\'a\', async t => { t.equal(1 as number, 1); t.ok(true) })\n'
  })
  t.same(counts, { passed: 2, failed: 0, skipped: 0 })
})

t.test('failures, crashes and syntax errors count as failures, and are printed', async t => {
  const { counts, output } = await run(t, {
    'a.test.ts': 'import t from \'tap\'\nt.test(\'a\', async t => { t.equal(1, 2, \'sums\') })\n',
    'b.test.ts': 'import t from \'tap\'\nt.ok(true)\nprocess.exit(3)\n',
    'c.test.ts': 'this is no program\n',
    'd.test.ts': ''
  })
  t.equal(counts.passed, 1)
  t.equal(counts.failed, 4)
  t.match(output, 'not ok 1 - sums')
  t.match(output, 'exitCode: 3')
  t.match(output, /not ok \d - test\/c\.test\.ts/)
})
