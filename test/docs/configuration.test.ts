import { readFile } from 'node:fs/promises'
import t from 'tap'
import { exampleVariables, PAGE, renderConfiguration } from './configuration.ts'

t.test('docs/configuration.md is generated from the schemas (npm run docs writes it)', async t => {
  t.equal(await readFile(PAGE, 'utf8'), await renderConfiguration())
})

t.test('docs/configuration.md has each variable of .env.example, and each with a description', async t => {
  const page = await readFile(PAGE, 'utf8')
  const described = [...page.matchAll(/^\| `([A-Z0-9_]+)` \|.*\| (\S.*) \|$/gm)].map(match => match[1])
  t.same(exampleVariables().filter(name => !described.includes(name)), [])
  t.same([...page.matchAll(/^\| `([A-Z0-9_]+)` \|/gm)]
    .map(match => match[1])
    .filter(name => !described.includes(name)), [])
})
