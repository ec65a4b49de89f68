import { readFile } from 'node:fs/promises'
import t from 'tap'
import { PAGE, renderReference } from '../scripts/reference.ts'

t.test('docs/cli.md is written from the commands (npm run docs)', async t => {
  t.equal(await readFile(PAGE, 'utf8'), renderReference())
})
