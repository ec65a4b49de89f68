import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@tidings/testing'
import t, { type Test } from 'tap'
import { runChecks } from '../../src/test-run/checks.ts'

/** A checkout whose checks are these shell scripts. */
function checkout (t: Test, scripts: Record<string, string>): string {
  const root = temporaryFolder(t, 'checkout')
  const bin = join(root, 'node_modules', '.bin')
  mkdirSync(bin, { recursive: true })
  for (const name of ['tsc', 'eslint', 'oxlint', 'knip']) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${scripts[name] ?? 'echo fine'}\n`, { mode: 0o755 })
  }
  return root
}

t.test('names the checks that fail, and prints what they wrote in one piece', async t => {
  const printed: string[] = []
  const root = checkout(t, { eslint: 'echo one; echo two >&2; exit 2', knip: 'echo unused; exit 1' })
  const { signal } = new AbortController()
  t.same(await runChecks({ root, signal, print: line => printed.push(line) }), ['eslint', 'knip'])
  t.match(printed.map(line => line.replace(/\d+ms$/, '')).toSorted(), [
    'not ok eslint # time=', 'not ok knip # time=', 'ok oxlint # time=', 'ok tsc # time=', /^(one\ntwo|two\none)$/, 'unused'
  ])
})

t.test('ends with the run', async t => {
  const stopped = new AbortController()
  const root = checkout(t, { tsc: 'exec sleep 60' })
  const ended = runChecks({ root, signal: stopped.signal, print: () => {} })
  stopped.abort()
  t.same(await ended, ['tsc'])
})
