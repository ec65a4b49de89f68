import type { Redis } from 'ioredis'
import { loadLua } from '@tidings/service-kit/lua'

/** The scripts as commands; their headers describe the replies. */
type Commands = {
  tidingsOpen (stream: string, epoch: string, minimumMs: number, minimumSeq: number): Promise<[string, string]>
  tidingsAppend (...keysAndArguments: (string | number)[]):
  Promise<[1, number, number, number, string, string, number[]] | [0, string, string, string]>
  tidingsMarkEnds (stream: string, last: string, ttlMs: number, ...ends: (string | number)[]): Promise<0 | 1>
  tidingsTrim (stream: string, lowWater: string, minId: string): Promise<number>
  tidingsCovers (
    stream: string, epoch: string, history: string, ms: number, seq: number, ttlMs: number
  ): Promise<[0 | 1, string]>
}

const lua = (name: string) => loadLua(`lua/${name}`, import.meta.url)
const head = lua('stream')

/** Defines the scripts of this package on a connection (by EVALSHA; loaded when Redis does not know them). */
export function withScripts (redis: Redis): Redis & Commands {
  if ('tidingsAppend' in redis) return redis as Redis & Commands
  redis.defineCommand('tidingsOpen', { numberOfKeys: 2, lua: head + lua('open') })
  redis.defineCommand('tidingsAppend', { numberOfKeys: 4, lua: head + lua('append') })
  redis.defineCommand('tidingsMarkEnds', { numberOfKeys: 1, lua: head + lua('mark-ends') })
  redis.defineCommand('tidingsTrim', { numberOfKeys: 2, lua: lua('trim') })
  redis.defineCommand('tidingsCovers', { numberOfKeys: 3, lua: head + lua('covers'), readOnly: true })
  return redis as Redis & Commands
}
