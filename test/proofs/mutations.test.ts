import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { root } from '@tidings/local'
import { read } from '../docs/pages.ts'
import { mutated, occurrences } from './mutation.ts'
import { mutations } from './mutations/index.ts'

const [, section = ''] = read('docs/guarantees.md').split('## How each is kept, and tested')
/** The cells of each promise, from its name on. */
const rows = section.split('\n## ')[0]?.split('\n').filter(line => /^\| [a-z]/.test(line)).slice(1)
  .map(line => line.split('|').slice(1).map(cell => cell.trim())) ?? []
const all = Object.entries(mutations).flatMap(([promise, ofPromise]) =>
  ofPromise.map(mutation => ({ promise, ...mutation })))
const FOLDERS: Record<string, string> = {
  api: 'services/jobs-api/test',
  gw: 'services/realtime-gateway/test',
  wd: 'services/webhook-dispatcher/test',
  sim: 'test/simulation',
  events: 'packages/job-events/test',
  kit: 'packages/service-kit/test'
}

t.test('every promise of docs/guarantees.md has mutations, and no other has', async t => {
  const promises = rows.map(([promise = '']) => promise)
  t.ok(promises.length > 8)
  t.same(Object.keys(mutations).toSorted(), promises.toSorted())
  t.same(Object.entries(mutations).filter(([, { length }]) => length === 0), [])
})

t.test('the text that a mutation replaces stands once in its file', async t => {
  for (const mutation of all) {
    const { promise, without, file, search, replacement } = mutation
    t.equal(occurrences(read(file), search), 1, `${promise}, without ${without}: ${file}`)
    t.not(search, replacement)
  }
})

t.test('the tests that must catch it exist, under these names', async t => {
  for (const { promise, without, tests } of all) {
    t.not(Object.keys(tests).length, 0)
    for (const [file, name] of Object.entries(tests)) {
      const exists = existsSync(join(root, file)) && readFileSync(join(root, file), 'utf8').includes(name)
      t.ok(exists, `${promise}, without ${without}: ${file}: ${name}`)
    }
  }
})

t.test('each test that docs/guarantees.md names for a promise catches a mutation of it', async t => {
  for (const [promise, ofPromise] of Object.entries(mutations)) {
    const files = ofPromise.flatMap(({ tests }) => Object.keys(tests))
    for (const named of testsOf(promise)) {
      t.ok(files.some(file => file === `${named}.test.ts` || file.startsWith(`${named}/`)), `${promise}: ${named}`)
    }
  }
})

t.test('a text that is not there, or more than once, is not replaced', async t => {
  const mutation = { without: '', file: 'f', search: 'a', replacement: '$&b', tests: {} }
  t.equal(mutated('xay', mutation), 'x$&by')
  t.throws(() => mutated('xy', mutation), 'f has 0 times: a')
  t.throws(() => mutated('aya', mutation), 'f has 2 times: a')
})

/** The paths of a promise's tests in the table. Those named chaos draw their faults at random. */
function testsOf (promise: string): string[] {
  const [, , tests = ''] = rows.find(([name]) => name === promise) ?? []
  const names = [...tests.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
  return names.filter(name => !name.endsWith('chaos')).map(name => {
    const [folder = '', ...path] = name.split('/')
    return [FOLDERS[folder] ?? folder, ...path].join('/')
  })
}
