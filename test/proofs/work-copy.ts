import { execFileSync } from 'node:child_process'
import {
  chmodSync, copyFileSync, cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { mutated, type Mutation } from './mutation.ts'

/** Their links to other packages are relative, and so lead into the copy. */
const WORKSPACES = ['packages/*', 'services/*', 'infra/*', 'examples/*', 'test', 'bench']
const MAX_LISTING = 64 * 1024 * 1024

export type WorkCopy = ReturnType<typeof createWorkCopy>

/** A copy of the checkout as it is now, changes that are not committed included, for sources that are mutated. */
export function createWorkCopy (root: string) {
  const path = mkdtempSync(join(tmpdir(), 'tidings-proofs-'))
  chmodSync(path, 0o755) // when started by root, Postgres runs as another user
  for (const file of filesOf(root)) {
    mkdirSync(dirname(join(path, file)), { recursive: true })
    copyFileSync(join(root, file), join(path, file))
  }
  symlinkSync(join(root, 'node_modules'), join(path, 'node_modules'))
  for (const modules of globSync(WORKSPACES.map(name => `${name}/node_modules`), { cwd: root })) {
    cpSync(join(root, modules), join(path, modules), { recursive: true, verbatimSymlinks: true })
  }

  return {
    path,
    /** Applies a mutation; the returned function takes it back. */
    apply (mutation: Mutation): () => void {
      const file = join(path, mutation.file)
      const source = readFileSync(file, 'utf8')
      writeFileSync(file, mutated(source, mutation))
      return () => writeFileSync(file, source)
    },
    remove (): void {
      rmSync(path, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}

/** All files but those that git ignores; a deleted one may still be in its index. */
function filesOf (root: string): string[] {
  const listing = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root, maxBuffer: MAX_LISTING, encoding: 'utf8'
  })
  return listing.split('\0').filter(file => file !== '' && existsSync(join(root, file)))
}
