import type { Redis } from 'ioredis'

/** The fields of XINFO STREAM for any stream, by name; undefined where there is no such key. */
export async function streamInfo (redis: Redis, key: string): Promise<Record<string, unknown> | undefined> {
  const fields = await redis.xinfo('STREAM', key).catch(undefinedWhenMissing) as unknown[] | undefined
  if (fields === undefined) return undefined
  return Object.fromEntries(Array.from({ length: fields.length / 2 }, (_, i) => [fields[2 * i], fields[2 * i + 1]]))
}

function undefinedWhenMissing (err: Error): undefined {
  if (!err.message.includes('no such key')) throw err
}
