import { accessSync, chmodSync, constants, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const STATE = '/var/lib'

/** A folder of root's that every user of this machine can reach. */
export function sharedFolder (): string {
  const folder = join(isWritable(STATE) ? STATE : tmpdir(), 'tidings')
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, 0o755) // whatever root's umask says
  return folder
}

function isWritable (folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return true
  } catch {
    return false
  }
}
