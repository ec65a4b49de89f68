import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { System } from '@tidings/local'
import { once } from '../once.ts'
import type { Progress } from '../progress.ts'
import { startLoads } from './loads.ts'
import type { Loads } from './loads.ts'
import { startMonolith } from './monolith.ts'
import type { Monolith } from './monolith.ts'
import type { Side } from './side.ts'
import { startTidings } from './tidings.ts'

const NO_LIMIT = '1000000000'
const SECRET = 'the-bench-signs-tokens-with-this-one'

export interface Stage {
  progress: Progress
  signal: AbortSignal
  loads: Loads
  /** What its processes run with: the defaults, but no rate limits and no log of what goes well. */
  env: NodeJS.ProcessEnv
  tokenSecret: string
  folder: string
  tidings: () => Promise<{ side: Side, system: System }>
  monolith: (name: 'naive' | 'tuned') => Promise<Monolith>
  /** A number that no other run has. */
  nextRun: () => number
  /** What has to end before the system does, last first. */
  onClose: (close: () => Promise<unknown>) => void
  close: () => Promise<void>
}

export interface StageOptions {
  progress: Progress
  signal: AbortSignal
  /** Where CPU profiles of all measured processes go. */
  profiles?: string | undefined
}

/** Everything that scenarios share. What is slow to start starts when it is first asked for. */
export async function setStage ({ progress, signal, profiles }: StageOptions): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'tidings-bench-'))
  chmodSync(folder, 0o755) // as root, Postgres runs as another user and has its data here
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    TOKEN_SECRET: SECRET,
    LOG_LEVEL: 'warn',
    RATE_LIMIT_MAX: NO_LIMIT,
    REALTIME_CONNECTS_PER_SECOND: NO_LIMIT,
    REALTIME_MAX_SESSIONS: NO_LIMIT,
    ...(profiles === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profiles}` })
  }
  const loads = await startLoads()
  const closers: (() => Promise<unknown>)[] = []
  const tidings = once(async () => {
    const started = await startTidings({ folder: join(folder, 'system'), env, signal })
    closers.push(() => started.system.stop())
    return started
  })
  const monoliths = { naive: once(() => start('naive')), tuned: once(() => start('tuned')) }

  async function start (name: 'naive' | 'tuned'): Promise<Monolith> {
    const { side, system } = await tidings()
    const started = await startMonolith({
      name,
      env,
      folder,
      redisUrl: system.endpoints.redis as string,
      databaseUrl: system.endpoints.postgres as string,
      tokenSecret: SECRET,
      token: side.token,
      dataServers: () => side.processes().filter(process => process.name === 'redis' || process.name === 'postgres')
    })
    closers.push(() => started.stop())
    return started
  }

  let lastRun = 0
  return {
    progress,
    signal,
    loads,
    env,
    tokenSecret: SECRET,
    folder,
    tidings,
    monolith: name => monoliths[name](),
    nextRun: () => ++lastRun,
    onClose: close => { closers.push(close) },
    close: async () => {
      await loads.stop()
      for (const close of closers.toReversed()) await close()
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}
