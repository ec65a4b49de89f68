import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { root } from '../root.ts'

/** The settings of the user: the environment, which takes precedence over the .env of the checkout. */
export function readEnvironment (env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const file = join(root, '.env')
  return { ...(existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}), ...env }
}
