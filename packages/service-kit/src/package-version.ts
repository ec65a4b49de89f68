import { readFileSync } from 'node:fs'

/** The version in a package.json. */
export function packageVersion (manifest: URL): string {
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version
}
