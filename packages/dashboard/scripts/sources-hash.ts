import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'

/** What the build is made of, seen from the package. */
const SOURCES = [
  'src', 'public', 'index.html', 'vite.config.ts', 'package.json', '../client/src', '../client/package.json',
  '../../pnpm-lock.yaml'
]

/** A hash over the names and the contents of all sources. The lock file has the versions of libraries. */
export function sourcesHash (folder: string): string {
  const hash = createHash('sha256')
  for (const file of SOURCES.flatMap(each => filesOf(join(folder, each)))) {
    const content = readFileSync(file)
    hash.update(`${relative(folder, file)}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}

function filesOf (path: string): string[] {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path).toSorted().flatMap(name => filesOf(join(path, name)))
}
