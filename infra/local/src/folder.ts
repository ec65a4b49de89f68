import { join } from 'node:path'
import { root } from './root.ts'

/** The folder of the commands for data, logs, pid files and secrets. */
export const folder = join(root, '.local')
