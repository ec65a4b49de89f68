import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { VERSION } from '../src/index.ts'

t.test('the release is the same in all packages', async t => {
  const root = fileURLToPath(new URL('../../..', import.meta.url))
  const manifests = globSync(['package.json', 'packages/*/package.json', 'services/*/package.json'], { cwd: root })
  t.ok(manifests.length > 8)
  for (const file of manifests) t.match(JSON.parse(readFileSync(`${root}/${file}`, 'utf8')), { version: VERSION }, file)
})
