import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build as bundle } from 'esbuild'

const folder = fileURLToPath(new URL('..', import.meta.url))

/**
 * Writes the command line (packages/cli) to `cli.js` in this folder: one file, so that the package keeps no
 * dependencies, with the licences of the libraries in it beside it.
 */
export async function writeCommandLine (dist: string): Promise<void> {
  const { metafile } = await bundle({
    entryPoints: [`${folder}../cli/src/main.ts`],
    outfile: `${dist}/cli.js`,
    absWorkingDir: folder,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    charset: 'utf8',
    metafile: true,
    // A dependency that is CommonJS may require a module of Node.
    banner: { js: "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)" }
  })
  await chmod(`${dist}/cli.js`, 0o755)
  const packages = new Set(Object.keys(metafile.inputs).flatMap(path => PACKAGE.exec(path) ?? []))
  const texts = await Promise.all([...packages].sort().map(path => licenceOf(`${folder}${path}`)))
  await writeFile(`${dist}/THIRD-PARTY-LICENSES.md`, `# Libraries in cli.js\n\n${texts.join('\n')}`)
}

const PACKAGE = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/

async function licenceOf (path: string): Promise<string> {
  const { name, version } = JSON.parse(await readFile(`${path}/package.json`, 'utf8')) as Record<string, string>
  const file = (await readdir(path)).find(file => /^licen[cs]e/i.test(file))
  if (!file) throw new Error(`${name} has no licence file`)
  // citty contains a library itself, and says so there.
  const inner = await readFile(`${path}/dist/THIRD-PARTY-LICENSES.md`, 'utf8').catch(() => '')
  return `## ${name} ${version}\n\n${`${await readFile(`${path}/${file}`, 'utf8')}\n${inner}`.trim()}\n`
}
