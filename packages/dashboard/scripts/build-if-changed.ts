import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sourcesHash } from './sources-hash.ts'

const folder = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(folder, 'dist')
const web = join(dist, 'web')
/** How often another process may put its build in place between our two steps. */
const TRIES = 5

/**
 * Builds into dist/web, and returns whether it had to. The hash of the sources is kept beside the build, which becomes
 * visible whole: neither a server nor another build at the same time sees half of it.
 */
export async function buildIfChanged (report: (line: string) => void = () => {}): Promise<boolean> {
  const hash = sourcesHash(folder)
  if (existsSync(join(web, '.sources')) && readFileSync(join(web, '.sources'), 'utf8') === hash) return false
  report('Building the dashboard …')
  const { build } = await import('vite')
  const own = join(dist, `build-${process.pid}`)
  mkdirSync(dist, { recursive: true })
  try {
    await build({ root: folder, logLevel: 'error', build: { outDir: own, emptyOutDir: true } })
    writeFileSync(join(own, '.sources'), hash)
    replace(own)
  } finally {
    rmSync(own, { recursive: true, force: true })
  }
  return true
}

function replace (own: string) {
  const old = join(dist, `old-${process.pid}`)
  for (let attempt = 1; ; attempt++) {
    try {
      if (existsSync(web)) renameSync(web, old)
      rmSync(old, { recursive: true, force: true })
      renameSync(own, web)
      return
    } catch (err) {
      if (attempt === TRIES) throw err
    }
  }
}
