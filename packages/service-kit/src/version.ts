import { readFileSync } from 'node:fs'

/** The release, as all package.json files name it. */
export const VERSION = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
}).version
