import { fileURLToPath } from 'node:url'

export interface Config {
  redisUrl: string
  redisWaitSeconds: number
  drainSeconds: number
  queue: string
  folder: string
  concurrency: number
}

/** Reads the environment; throws one Error that lists every fault. */
export function readConfig (env: NodeJS.ProcessEnv): Config {
  const faults: string[] = []

  const integer = (name: string, fallback: number, max: number) => {
    const text = env[name] || String(fallback)
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < 1 || value > max) faults.push(`${name} must be a whole number from 1 to ${max}`)
    return value
  }

  const port = integer('REDIS_PORT', 6379, 65_535)
  const config = {
    redisUrl: env.REDIS_URL || `redis://${env.REDIS_HOST || '127.0.0.1'}:${port}`,
    redisWaitSeconds: integer('REDIS_WAIT_SECONDS', 30, 600),
    // Shorter than the 25 or 30 s between SIGTERM and SIGKILL of usual supervisors.
    drainSeconds: integer('DRAIN_SECONDS', 20, 600),
    queue: env.JOB_QUEUE || 'default',
    folder: env.CSV_FOLDER || sampleFolder(),
    concurrency: integer('CONCURRENCY', 4, 64)
  }

  if (!isRedisUrl(config.redisUrl)) faults.push('REDIS_URL must look like redis://host:6379 or rediss://host:6379')
  if (faults.length > 0) throw new Error(faults.join('; '))
  return config
}

/** The CSV files of the npm package vega-datasets, zipcodes.csv among them. */
function sampleFolder () {
  return fileURLToPath(new URL('../data', import.meta.resolve('vega-datasets')))
}

function isRedisUrl (text: string) {
  const url = URL.parse(text)
  return url !== null && ['redis:', 'rediss:'].includes(url.protocol) && url.hostname !== ''
}
