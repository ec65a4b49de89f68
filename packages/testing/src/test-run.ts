import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ChildProcess } from 'node:child_process'

/**
 * `npm test` names a folder where each test process notes the servers that it runs, so that those of a test process
 * that was killed do not outlive the run.
 */
export function noteProcess (child: ChildProcess, folder = process.env.TIDINGS_TEST_RUN): void {
  if (folder === undefined || child.pid === undefined) return
  const note = join(folder, `${child.pid}.pid`)
  writeFileSync(note, '')
  child.once('exit', () => { rmSync(note, { force: true }) })
}

/** The variable with which a child process shares the compile cache of the run: it starts in two thirds of the time. */
export function compileCache (): { NODE_COMPILE_CACHE?: string } {
  const { NODE_COMPILE_CACHE } = process.env
  return NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }
}
