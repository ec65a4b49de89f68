import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { isReachable } from './server-user.ts'
import type { ServerUser } from './server-user.ts'
import { sharedFolder } from './shared-folder.ts'

/**
 * The folder that holds the data of `dir`: `dir` itself or, if the server's user cannot enter it (a checkout below
 * root's 0700 home), a folder elsewhere that `dir` then links to.
 */
export function dataFolder (dir: string, user: ServerUser | undefined): string {
  const wanted = resolve(dir)
  mkdirSync(dirname(wanted), { recursive: true })
  if (user === undefined || isReachable(dirname(wanted), user)) return wanted

  const elsewhere = join(sharedFolder(), createHash('sha256').update(wanted).digest('hex').slice(0, 16))
  if (linkTarget(wanted) !== elsewhere) {
    // Data must not outlive the folder that it belongs to: removing the link removes the data.
    rmSync(elsewhere, { recursive: true, force: true })
    rmSync(wanted, { recursive: true, force: true })
    symlinkSync(elsewhere, wanted)
  }
  return elsewhere
}

function linkTarget (path: string): string | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true ? readlinkSync(path) : undefined
}
