import { MissingRedisError, redisExecutable } from '@tidings/dev-servers'
import { installSystemPackage } from './system-packages.ts'

/** Ensures that a Redis server is installed; rejects with the command to run when it cannot be installed. */
export async function ensureRedis (report: (line: string) => void): Promise<void> {
  try {
    await redisExecutable()
  } catch (err) {
    if (!(err instanceof MissingRedisError)) throw err
    if (!await installSystemPackage({ apt: 'redis-server', apk: 'redis', dnf: 'redis', brew: 'redis' }, report)) {
      throw err
    }
    await redisExecutable()
  }
}
