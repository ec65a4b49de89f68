// npm run build: writes what is published to dist/, a package of its own: `npm publish dist`.
import { execFile } from 'node:child_process'
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { writeCommandLine } from './command-line.ts'

/** Fields of package.json that are for this checkout alone. */
const OURS = ['private', 'devDependencies', 'scripts']

const folder = fileURLToPath(new URL('..', import.meta.url))

/** Compiles src to `dist` (or the given folder) and adds package.json, README and licence. */
export async function build (dist = `${folder}dist`): Promise<void> {
  await rm(dist, { recursive: true, force: true })
  const tsc = fileURLToPath(import.meta.resolve('typescript/bin/tsc'))
  await promisify(execFile)(process.execPath, [tsc, '-p', `${folder}tsconfig.build.json`, '--outDir', dist])
  await writeCommandLine(dist)
  await writeFile(`${dist}/package.json`, `${JSON.stringify(await published(), undefined, 2)}\n`)
  await copyFile(`${folder}README.md`, `${dist}/README.md`)
  await copyFile(`${folder}../../LICENSE`, `${dist}/LICENSE`)
}

/** The package.json of what is published: its exports are the compiled files. */
async function published (): Promise<object> {
  const { exports, ...all } = JSON.parse(await readFile(`${folder}package.json`, 'utf8')) as Record<string, unknown>
  const fields = Object.fromEntries(Object.entries(all).filter(([name]) => !OURS.includes(name)))
  const compiled = (source: string) => {
    const name = source.replace('./src/', './').replace(/\.ts$/, '')
    return { types: `${name}.d.ts`, default: `${name}.js` }
  }
  const entries = Object.entries(exports as Record<string, string>).map(([entry, source]) => [entry, compiled(source)])
  const published = { ...Object.fromEntries(entries), './package.json': './package.json' }
  return { ...fields, bin: { tidings: 'cli.js' }, exports: published }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build()
