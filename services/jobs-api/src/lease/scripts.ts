import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'

type Commands = {
  tidingsLease (key: string, holder: string, connection: number | '', ttlMs: number): Promise<string>
  tidingsRelease (key: string, holder: string): Promise<0 | 1>
}

const lua = (name: string) => readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8')

export function withLeaseScripts (redis: Redis): Redis & Commands {
  if (!('tidingsLease' in redis)) {
    redis.defineCommand('tidingsLease', { numberOfKeys: 1, lua: lua('lease') })
    redis.defineCommand('tidingsRelease', { numberOfKeys: 1, lua: lua('release') })
  }
  return redis as Redis & Commands
}
