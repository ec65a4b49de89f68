import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The path of a program from python-requirements.txt; undefined where it is not installed. */
export function pythonTool (name: string): string | undefined {
  const python = process.env.TIDINGS_TEST_PYTHON
  const path = python ? join(dirname(python), name) : undefined
  return path !== undefined && existsSync(path) ? path : undefined
}
