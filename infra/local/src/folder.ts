import { join } from 'node:path'
import { root } from './root.ts'

/** Where the commands keep data, logs, pid files and secrets. */
export const folder = join(root, '.local')
