import { execFileSync } from 'node:child_process'
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder, type TestContext } from '@tidings/testing'

/** A cluster of Postgres with the rows of a long run; only what is written takes memory. */
const SIZE = '768m'
/** From large to small, so that the last byte is taken. */
const CHUNKS = [8 * 1024 * 1024, 64 * 1024, 4096]

/** A disk of its own that can be filled. */
export interface SmallDisk {
  folder: string
  /** Takes all that is free. */
  fill: () => void
  /** Gives it back. */
  free: () => void
}

/** Whether a disk can be mounted here: by root, on Linux. */
export function canMount (): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0
}

/** Mounts a file system in memory, unmounted with the test, and at the latest when this process ends. */
export function mountSmallDisk (t: TestContext): SmallDisk {
  const folder = temporaryFolder(t, 'disk')
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE},mode=755`, 'tidings-chaos', folder])
  let isMounted = true
  const unmount = () => {
    if (!isMounted) return
    execFileSync('umount', ['--lazy', folder]) // lazy: a server that did not end must not keep it
    isMounted = false
  }
  process.once('exit', unmount)
  t.teardown(unmount)
  const ballast = join(folder, 'ballast')
  return { folder, fill: () => fill(ballast), free: () => rmSync(ballast, { force: true }) }
}

function fill (file: string): void {
  const descriptor = openSync(file, 'a')
  try {
    for (const size of CHUNKS) {
      const chunk = Buffer.alloc(size)
      while (hasWritten(descriptor, chunk)) continue
    }
  } finally {
    closeSync(descriptor)
  }
  const { bavail } = statfsSync(file)
  if (bavail > 0) throw new Error(`${bavail} blocks are left on the disk`)
}

function hasWritten (descriptor: number, chunk: Buffer): boolean {
  try {
    return writeSync(descriptor, chunk) === chunk.length
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOSPC') return false
    throw err
  }
}
