import { readFileSync } from 'node:fs'

/** The text of a Lua script beside the module that runs it: `loadLua('read', import.meta.url)` for `./read.lua`. */
export function loadLua (name: string, moduleUrl: string): string {
  return readFileSync(new URL(`./${name}.lua`, moduleUrl), 'utf8')
}
