import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { buildIfChanged } from '../scripts/build-if-changed.ts'

interface Chunk { file: string, css?: string[], imports?: string[], dynamicImports?: string[], isEntry?: true }
type Sizes = { js: number, css: number }

const web = new URL('../dist/web/', import.meta.url)
const KB = 1000

await buildIfChanged()
const manifest = JSON.parse(readFileSync(new URL('manifest.json', web), 'utf8')) as Record<string, Chunk>
const entry = Object.keys(manifest).find(name => manifest[name]?.isEntry) as string
const atStart = closure(entry)

t.test('the first page, the list of jobs, has at most 180 KB of scripts and 8 KB of styles', async t => {
  const { js, css } = sizeOf(new Set([...atStart, ...closure('src/jobs/jobs-page.tsx')]))
  t.comment(`first page: ${kb(js)} of scripts, ${kb(css)} of styles`)
  t.ok(js <= 180 * KB, `${kb(js)} of scripts`)
  t.ok(css <= 8 * KB, `${kb(css)} of styles`)
})

t.test('what is loaded later has at most 45 KB each', async t => {
  const lazy = Object.entries(manifest).filter(([name]) => !atStart.has(name)).map(([name]) => name)
  t.ok(lazy.length > 2)
  for (const name of lazy) {
    const { js } = sizeOf(new Set([...closure(name)].filter(each => !atStart.has(each))))
    t.ok(js <= 45 * KB, `${name}: ${kb(js)}`)
  }
})

t.test('the whole has at most 400 KB', async t => {
  const { js, css } = sizeOf(new Set(Object.keys(manifest)))
  t.ok(js + css <= 400 * KB, kb(js + css))
})

/** A chunk and what it imports at once. */
function closure (name: string, found = new Set<string>()): Set<string> {
  if (found.has(name)) return found
  found.add(name)
  for (const each of manifest[name]?.imports ?? []) closure(each, found)
  return found
}

/** Compressed, in bytes. */
function sizeOf (names: Set<string>): Sizes {
  const chunks = [...names].map(name => manifest[name] as Chunk)
  const files = new Set(chunks.flatMap(({ file, css = [] }) => [file, ...css]))
  const sum = (ending: string) => [...files].filter(file => file.endsWith(ending))
    .reduce((all, file) => all + gzipSync(readFileSync(new URL(file, web)), { level: 9 }).length, 0)
  return { js: sum('.js'), css: sum('.css') }
}

function kb (bytes: number): string {
  return `${(bytes / KB).toFixed(1)} KB`
}
