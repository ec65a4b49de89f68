import { MissingRedisError, redisExecutable } from '@tidings/dev-servers'
import { installSystemPackage } from './system-packages.ts'

/** Sees to it that a Redis can be started here; rejects with the command to run when nobody can install it. */
export async function ensureRedis (report: (line: string) => void): Promise<void> {
  try {
    await redisExecutable()
  } catch (err) {
    if (!(err instanceof MissingRedisError)) throw err
    if (!await installSystemPackage({ apt: 'redis-server', apk: 'redis', dnf: 'redis', brew: 'redis' }, report)) throw err
    await redisExecutable()
  }
}
