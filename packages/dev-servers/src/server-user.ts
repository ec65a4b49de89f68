import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { findExecutable } from './executable.ts'

const NAME = 'postgres'
const NOBODY = 'nobody'
const EXECUTE = 0o1

export interface ServerUser { name: string, uid: number, gid: number }

/**
 * The user that Postgres runs as, or undefined when it is the one who runs this: Postgres refuses root, so for root it
 * is `postgres`, made when missing, or `nobody` where no user can be made.
 */
export function serverUser (): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  const user = lookUp(NAME) ?? createUser() ?? lookUp(NOBODY)
  if (user === undefined) {
    throw new Error(
      `Postgres cannot run as root, and there is no user ${NAME} or ${NOBODY} on this machine; make one, or run this as an ordinary user`
    )
  }
  return user
}

/** Whether this user can enter every folder on the way to a path, and the path itself when it is a folder. */
export function isReachable (path: string, user: ServerUser): boolean {
  const real = realpathSync(existingPart(path))
  for (let folder = real; ; folder = dirname(folder)) {
    if (!mayEnter(folder, user)) return false
    if (folder === dirname(folder)) return true
  }
}

function mayEnter (path: string, user: ServerUser): boolean {
  const { mode, uid, gid } = statSync(path)
  if (uid === user.uid) return (mode & (EXECUTE << 6)) !== 0
  if (gid === user.gid) return (mode & (EXECUTE << 3)) !== 0
  return (mode & EXECUTE) !== 0
}

function existingPart (path: string): string {
  return existsSync(path) ? path : existingPart(dirname(path))
}

function lookUp (name: string): ServerUser | undefined {
  const line = readFileSync('/etc/passwd', 'utf8').split('\n').find(entry => entry.startsWith(`${name}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  return uid === undefined || gid === undefined ? undefined : { name, uid: Number(uid), gid: Number(gid) }
}

function createUser (): ServerUser | undefined {
  const command = findExecutable(['useradd', 'adduser'])
  if (command === undefined) return undefined
  const args = command.endsWith('useradd')
    ? ['--system', '--user-group', '--no-create-home', NAME]
    : ['-S', '-D', '-H', NAME]
  try {
    execFileSync(command, args, { stdio: 'ignore', timeout: 30_000 })
  } catch {
    return undefined // a read-only /etc, say: `nobody` will do
  }
  return lookUp(NAME)
}
