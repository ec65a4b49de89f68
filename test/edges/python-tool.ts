import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A program that a package of the tests' Python brought (see python-requirements.txt); undefined where there is none. */
export function pythonTool (name: string): string | undefined {
  const python = process.env.TIDINGS_TEST_PYTHON
  const path = python ? join(dirname(python), name) : undefined
  return path !== undefined && existsSync(path) ? path : undefined
}
