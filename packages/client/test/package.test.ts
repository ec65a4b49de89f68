import { execFile } from 'node:child_process'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { build as bundle } from 'esbuild'
import { publint } from 'publint'
import t from 'tap'
import { temporaryFolder } from '@tidings/testing'
import { build } from '../scripts/build.ts'
import { openapiTypes } from '../scripts/openapi-types.ts'

const run = promisify(execFile)
const binOf = (name: string) => fileURLToPath(new URL(`../node_modules/.bin/${name}`, import.meta.url))
const tsc = fileURLToPath(import.meta.resolve('typescript/bin/tsc'))

const folder = temporaryFolder(t, 'package')
const dist = join(folder, 'dist')
await build(dist)

/** Bytes, minified and compressed. The hooks are counted as what they add to an app that has the client. */
const BUDGETS = { index: 9216, react: 2048, 'tanstack-query': 512, webhooks: 1536 }

for (const [entry, budget] of Object.entries(BUDGETS)) {
  t.test(`${entry} is small, and runs without anything of Node`, async t => {
    const size = entry === 'react'
      ? await sizeOf('index', 'react') - await sizeOf('index')
      : await sizeOf(entry)
    t.ok(size <= budget, `${size} of ${budget} bytes`)
  })
}

async function sizeOf (...entries: string[]): Promise<number> {
  const { outputFiles } = await bundle({
    stdin: { contents: entries.map(entry => `export * from './${entry}.js'`).join('\n'), resolveDir: dist },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    external: ['react', '@tanstack/react-query'],
    write: false
  })
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length
}

t.test('the hooks are marked as code of the browser, for React Server Components', async t => {
  t.match(await readFile(join(dist, 'react.js'), 'utf8'), /^'use client'/)
})

t.test('the types are those of docs/openapi (npm run write-types)', async t => {
  const committed = await readFile(new URL('../src/openapi.ts', import.meta.url), 'utf8')
  const withoutComments = (text: string) => text.replace(/^ *(\/\*)?\*.*\n/gm, '') // their words may change alone
  t.equal(withoutComments(committed), withoutComments(await openapiTypes()))
})

t.test('openapi-typescript makes a type of each named schema, and none without a name of what travels', async t => {
  const text = await openapiTypes()
  for (const name of ['Job', 'JobSummary', 'JobPage', 'NewJob', 'Webhook', 'Delivery', 'DeliverySummary', 'Attempt',
    'Replay', 'JobEvent', 'Problem', 'TokenPair', 'Me', 'JobState']) {
    t.match(text, new RegExp(`^    ${name}: `, 'm'))
  }
  const bodies = [...text.matchAll(/"application\/json": (.*)/g)].map(([, type]) => type)
  t.ok(bodies.length > 30)
  t.same(bodies.filter(type => !type?.startsWith('components["schemas"]')), [])
})

t.test('what is published is complete, and nothing else', async t => {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: dist })
  const [packed] = JSON.parse(stdout) as [{ filename: string, files: { path: string }[] }]
  const paths = packed.files.map(({ path }) => path)
  const needed = ['package.json', 'README.md', 'LICENSE', ...Object.keys(BUDGETS).flatMap(name => [`${name}.js`, `${name}.d.ts`])]
  for (const path of needed) {
    t.ok(paths.includes(path), path)
  }
  const isKnown = (path: string) => /\.(js|d\.ts)$|^(package\.json|README\.md|THIRD-PARTY-LICENSES\.md|LICENSE)$/.test(path)
  t.same(paths.filter(path => !isKnown(path)), [])
  const manifest = JSON.parse(await readFile(join(dist, 'package.json'), 'utf8')) as Record<string, unknown>
  t.match(manifest, { name: 'tidings', type: 'module', sideEffects: false })
  const unwanted = ['private', 'dependencies', 'devDependencies', 'scripts']
  t.same(Object.keys(manifest).filter(key => unwanted.includes(key)), [])

  const { messages } = await publint({ pkgDir: dist, pack: false, strict: true })
  t.same(messages, [], 'publint')
  const options = ['--profile', 'esm-only', '--format', 'ascii', '--no-color']
  const attw = await run(binOf('attw'), [join(folder, packed.filename), ...options])
    .catch((err: unknown) => err as { stdout: string, code: number })
  t.notOk('code' in attw, attw.stdout)
})

t.test('the snippets of the README compile against what is published, strictly', async t => {
  const readme = await readFile(join(dist, 'README.md'), 'utf8')
  const snippets = [...readme.matchAll(/^```(tsx?)\n([\s\S]*?)^```/gm)]
    .map(([, type, code], n) => ({ file: `snippet-${n}.${type}`, code: code as string }))
  t.ok(snippets.length >= 5)
  const project = join(folder, 'project')
  await mkdir(join(project, 'node_modules'), { recursive: true })
  await run('cp', ['-r', dist, join(project, 'node_modules', 'tidings')])
  await writeFile(join(project, 'package.json'), '{"type":"module"}')
  await writeFile(join(project, 'given.d.ts'), GIVEN)
  for (const name of ['react', '@types/react', '@tanstack/react-query']) {
    await mkdir(join(project, 'node_modules', name, '..'), { recursive: true })
    const installed = fileURLToPath(new URL(`../node_modules/${name}`, import.meta.url))
    await symlink(installed, join(project, 'node_modules', name))
  }
  await Promise.all(snippets.map(({ file, code }) => writeFile(join(project, file), `${code}\nexport {}\n`)))
  const options = '--strict --noEmit --module nodenext --target es2024 --lib es2024,dom --jsx react-jsx'.split(' ')
  const files = snippets.map(({ file }) => file)
  const checked = await run(process.execPath, [tsc, ...options, 'given.d.ts', ...files], { cwd: project })
    .catch((err: unknown) => err as { stdout: string, code: number })
  t.notOk('code' in checked, checked.stdout)
})

/** What the snippets leave to their reader. */
const GIVEN = `
import type { Client, Job, JobEvent, Schema } from 'tidings'
declare global {
  const client: Client
  const session: { accessToken: () => Promise<string> }
  function render (job: Job): void
  function handle (event: JobEvent): Promise<void>
  function reload (): Promise<void>
  const store: {
    read: () => string | undefined
    write: (cursor: string | undefined) => void
    isNew: (eventId: string) => Promise<boolean>
  }
  const CountRowsResult: Schema<{ rows: number }>
  const CountRowsInput: Schema<{ file: string }>
  const process: { env: { WEBHOOK_SECRET: string } }
}
`
