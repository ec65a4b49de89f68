import { realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, relative, sep, win32 } from 'node:path'
import { UnrecoverableError } from 'bullmq'
import { unreadable } from './unreadable.ts'

const MAX_NAME_LENGTH = 255

export interface CsvFile {
  /** The name as in the job. Messages and results show it, so that they do not reveal folders of the machine. */
  name: string
  path: string
  bytes: number
}

/** Finds the file that a job names. Users who may submit jobs must not be able to read files outside `folder`. */
export async function findFile (folder: string, name: unknown): Promise<CsvFile> {
  refuseOddName(name)
  const root = await realpath(folder)
  const path = await realpath(join(root, name)).catch(error => { throw unreadable(name, error) })

  // The real path is checked, so that a symbolic link cannot lead out either.
  if (!isBelow(root, path)) throw new UnrecoverableError(`${name}: leads out of the CSV folder`)

  const file = await stat(path).catch(error => { throw unreadable(name, error) })
  if (!file.isFile()) throw new UnrecoverableError(`${name}: is not a file`)
  return { name, path, bytes: file.size }
}

function refuseOddName (name: unknown): asserts name is string {
  if (typeof name !== 'string' || name === '') {
    throw new UnrecoverableError('data.file must name a CSV file, for example { "file": "zipcodes.csv" }')
  }
  if (name.length > MAX_NAME_LENGTH) {
    throw new UnrecoverableError(`data.file is longer than ${MAX_NAME_LENGTH} characters`)
  }
  if (/\p{Cc}/u.test(name)) throw new UnrecoverableError('data.file holds control characters')
  if (isAbsolute(name) || win32.isAbsolute(name)) {
    throw new UnrecoverableError(`${name}: data.file must be a path below the CSV folder, not an absolute one`)
  }
  if (name.split(/[/\\]/).includes('..')) {
    throw new UnrecoverableError(`${name}: data.file must be a path below the CSV folder, without ".."`)
  }
}

function isBelow (root: string, path: string) {
  const way = relative(root, path)
  return way !== '' && way !== '..' && !way.startsWith('..' + sep) && !isAbsolute(way)
}
