import { globSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder, type TestContext } from '@tidings/testing'

const LIBRARIES = ['/usr/lib/*/faketime/libfaketimeMT.so.1', '/usr/lib/faketime/libfaketimeMT.so.1']

/** The clocks of processes, by their names. Only the time of day jumps, as on a real machine: timers go on. */
export interface Clocks {
  /** The environment with which a process has a clock that can be set. */
  env: (name: string) => Record<string, string>
  /** Sets the clock of a process this many seconds ahead of the true time, or behind it. */
  set: (name: string, seconds: number) => void
}

/** The file of libfaketime (Debian's package `libfaketime`); undefined where it is not installed. */
export function faketimeLibrary (): string | undefined {
  return process.platform === 'linux' ? globSync(LIBRARIES)[0] : undefined
}

/** Clocks by libfaketime, which reads the difference from a file at each look at the clock. */
export function createClocks (t: TestContext, library: string): Clocks {
  const folder = temporaryFolder(t, 'clocks')
  const fileOf = (name: string) => join(folder, name)
  const set = (name: string, seconds: number) => {
    writeFileSync(fileOf(name), `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`)
  }
  return {
    set,
    env: name => {
      set(name, 0)
      return {
        LD_PRELOAD: library,
        FAKETIME_TIMESTAMP_FILE: fileOf(name),
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1'
      }
    }
  }
}
