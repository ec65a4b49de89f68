import { readFileSync, globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { load } from 'js-yaml'
import t from 'tap'

// What `pnpm audit` cannot see: where packages come from, and what they may run when they are installed.

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8')

type Dependency = { specifier: string, version: string }
type LockFile = {
  importers: Record<string, Record<string, Record<string, Dependency>>>
  packages: Record<string, { resolution: Record<string, string> }>
}
type Workspace = { allowBuilds: Record<string, boolean> }

const text = read('pnpm-lock.yaml')
const lock = load(text) as LockFile
const { allowBuilds } = load(read('pnpm-workspace.yaml')) as Workspace

t.test('each package of the lock file has a version and a SHA-512, and comes from the registry', async t => {
  const entries = Object.entries(lock.packages)
  t.ok(entries.length > 500)
  t.same(entries.filter(([name]) => !/^(@[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+/.test(name)), [], 'no git, no file, no URL')
  t.same(entries.filter(([, { resolution }]) => !/^sha512-[\w+/]{86}==$/.test(resolution.integrity ?? '')), [])
  t.same(entries.filter(([, { resolution }]) => Object.keys(resolution).join() !== 'integrity'), [], 'nothing but it')
})

t.test('dependencies name a version of the catalog, or a member of the workspace', async t => {
  const dependencies = Object.entries(lock.importers).flatMap(([importer, kinds]) =>
    Object.values(kinds).flatMap(kind =>
      Object.entries(kind).map(([name, { specifier }]) => ({ importer, name, specifier }))))
  t.ok(dependencies.length > 50)
  t.same(dependencies.filter(({ specifier }) => !/^(catalog:|workspace:\*$)/.test(specifier ?? '')), [])
})

t.test('neither the lock file nor the configuration of pnpm names a host', async t => {
  const lines = text.split('\n').filter(line => !line.trim().startsWith('deprecated:')) // prose of the authors
  t.same(lines.filter(line => /:\/\/|git\+|git@git|tarball:/.test(line)), [])
  t.same(read('pnpm-workspace.yaml').split('\n').filter(line => /registry\s*[:=]|_auth/.test(line)), [])
  t.same(globSync('{.npmrc,*/.npmrc,*/*/.npmrc}', { cwd: root }), [])
})

t.test('every package with an install script was decided on', async t => {
  const manifests = globSync('node_modules/.pnpm/*/node_modules/{*,@*/*}/package.json', { cwd: root })
  t.ok(manifests.length > 500)
  const scripted = manifests.flatMap(path => {
    const { name, scripts = {} } = JSON.parse(read(path)) as { name: string, scripts?: Record<string, string> }
    return ['preinstall', 'install', 'postinstall'].some(script => script in scripts) ? [name] : []
  })
  const known = new Set(Object.keys(allowBuilds))
  t.same([...new Set(scripted)].filter(name => !known.has(name)), [])
})
