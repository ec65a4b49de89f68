import { globSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** The files, relative to `root`, that a name given to `npm test` stands for: a file, a folder of tests, or a glob. */
export function matchingFiles (root: string, name: string): string[] {
  return globSync([name, `${name}/**/*.test.ts`], { cwd: root }).filter(file => statSync(join(root, file)).isFile())
}

/** The names that stand for no file. */
export function unmatched (root: string, names: string[]): string[] {
  return names.filter(name => matchingFiles(root, name).length === 0)
}
