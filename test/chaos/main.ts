// npm run chaos -- --minutes 30 [--seed N] [--faults a,b+c] [--redis single|sentinel|cluster] [--watch] [--list]
// npm run chaos -- --herd 2000        npm run chaos -- --soak 12
import { ensureRedis, readCommandLine, reportEnd, UsageError } from '@tidings/local'
import type { TestContext } from '@tidings/testing'
import { isClean } from './check/findings.ts'
import { faultNamed, faults } from './faults/index.ts'
import { runHerd } from './herd.ts'
import { random as randomOf } from './random.ts'
import { roundLines, summary } from './report.ts'
import { runRound, type RoundResult } from './round.ts'
import { repeated, schedule } from './schedule.ts'
import { startChaos } from './start.ts'
import { createScope } from './scope.ts'
import { runSoak } from './soak/soak.ts'
import { REDIS_KINDS, type RedisKind } from './system/chaos-redis.ts'
import { healthLines } from './system/health.ts'

const { values } = readCommandLine({
  usage: `
Causes faults in a system of its own, with its own Redis and Postgres, and compares all channels with BullMQ's stream.

  npm run chaos [-- --minutes N] [--seed N] [--faults A,B+C] [--redis KIND] [--watch]
  npm run chaos -- --herd SOCKETS
  npm run chaos -- --soak ROUNDS
  npm run chaos -- --list

  --minutes N     how long: 10 by default
  --seed N        repeats the order and the load of an earlier run, which has printed it
  --faults A,B+C  only these faults: A, then B and C at a time
  --redis KIND    ${REDIS_KINDS.join(', ')}: by default what the faults need
  --watch         prints what /readyz and the metrics show, at the end of each fault and after its round
  --herd SOCKETS  so many sockets on one of two gateways, which is killed
  --soak ROUNDS   so many equal rounds, after which nothing may have grown
  --list          prints all faults
`,
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    faults: { type: 'string' },
    redis: { type: 'string' },
    herd: { type: 'string' },
    soak: { type: 'string' },
    list: { type: 'boolean', default: false },
    watch: { type: 'boolean', default: false }
  }
})

const USERS = 5
const WORKERS = 2
const PAUSE_MS: [number, number] = [100, 900]

/** Of `--herd`: each takes five descriptors of this process. */
const MOST_SOCKETS = 3000
/** Of `--soak`: the comparison keeps all jobs of a run in memory. */
const MOST_ROUNDS = 500
const LEAST = 3

const stopped = Promise.withResolvers<never>()
stopped.promise.catch(() => {}) // it may end a round, or come between two
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => stopped.reject(new Error(`stopped by ${signal}`)))
}

try {
  await main()
} catch (err) {
  reportEnd(err)
}
process.exit()

async function main (): Promise<void> {
  if (values.list) {
    for (const { name, what } of faults) console.log(`${name.padEnd(30)}${what}`)
    return
  }
  const [minutes, seed] = [Number(values.minutes), Number(values.seed)]
  if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
    throw new UsageError('--minutes is a number above 0, --seed an integer')
  }
  if (values.herd !== undefined) {
    const sockets = upTo(MOST_SOCKETS, '--herd', values.herd)
    process.exitCode = await alone(async scope => await runHerd(scope, { sockets, seed, log }))
    return
  }
  if (values.soak !== undefined) {
    const rounds = upTo(MOST_ROUNDS, '--soak', values.soak)
    process.exitCode = await alone(async scope => await runSoak(scope, { rounds, seed, log }))
    return
  }
  const named = values.faults?.split(',').map(round => round.split('+').map(knownFault))
  const redis = redisOf(values.redis, named?.flat())
  const chosen = named?.flat() ?? faults.filter(({ needs }) => !isRedisKind(needs) || needs === redis)
  console.log(`seed ${seed}, ${minutes} minutes, ${chosen.length} faults, Redis ${redis}`)
  const rounds = named?.some(round => round.length > 1) ? named : undefined
  process.exitCode = await run({ minutes, seed, redis, chosen, rounds, isWatched: values.watch })
}

/** A run that is no series of faults. */
async function alone (runIn: (scope: TestContext) => Promise<RoundResult>): Promise<0 | 1> {
  await ensureRedis(line => { console.error(line) })
  const scope = createScope()
  try {
    const result = await orStopped(runIn(scope))
    for (const line of roundLines(result)) log(line)
    return isClean(result) ? 0 : 1
  } finally {
    await scope.close()
  }
}

function knownFault (name: string): typeof faults[number] {
  try {
    return faultNamed(name)
  } catch (err) {
    throw new UsageError((err as Error).message)
  }
}

function upTo (most: number, option: string, text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < LEAST || number > most) {
    throw new UsageError(`${option} is an integer from ${LEAST} to ${most}`)
  }
  return number
}

function log (line: string): void {
  console.log(line)
}

/** That of the option; otherwise that which the named faults need. */
function redisOf (option: string | undefined, named: typeof faults = []): RedisKind {
  const needed = option ?? named.map(({ needs }) => needs).find(isRedisKind) ?? 'single'
  if (!isRedisKind(needed)) throw new UsageError(`--redis is one of ${REDIS_KINDS.join(', ')}`)
  return needed
}

function isRedisKind (text: string | undefined): text is RedisKind {
  return REDIS_KINDS.some(kind => kind === text)
}

interface RunOptions {
  minutes: number
  seed: number
  redis: RedisKind
  chosen: typeof faults
  /** The faults of each round, where the command names them; they repeat. */
  rounds: (typeof faults)[] | undefined
  isWatched: boolean
}

async function run ({ minutes, seed, redis, chosen, rounds, isWatched }: RunOptions): Promise<0 | 1> {
  await ensureRedis(line => { console.error(line) })
  const scope = createScope()
  const results: RoundResult[] = []
  let skipped: typeof faults = []
  try {
    const abilities = (['disk', 'clocks'] as const).filter(ability => chosen.some(({ needs }) => needs === ability))
    const context = await orStopped(startChaos(scope, {
      users: USERS, workers: WORKERS, pauseMs: PAUSE_MS, redis, abilities
    }))
    const [possible = [], impossible = []] = [true, false].map(isPossible => chosen.filter(
      ({ needs }) => (needs === undefined || context.system.abilities.has(needs)) === isPossible
    ))
    skipped = impossible
    for (const { name, needs } of skipped) console.log(`${name}: skipped, this system has no ${needs}`)
    const left = rounds?.filter(faults => faults.every(fault => possible.includes(fault)))
    if (possible.length === 0 || left?.length === 0) throw new Error('none of the faults can be caused here')
    const watch = async () => { for (const line of await healthLines(context.system)) console.log(line) }
    const deadline = Date.now() + minutes * 60_000
    const random = randomOf(seed)
    for (const faults of left === undefined ? schedule(possible, random) : repeated(left)) {
      if (Date.now() > deadline) break
      const result = await orStopped(
        runRound({ ...context, ...(isWatched && { duringFault: watch }) }, faults, random.between(0, 1_000_000))
      )
      results.push(result)
      if (isWatched) await watch()
      for (const line of roundLines(result)) console.log(line)
    }
  } finally {
    await scope.close()
  }
  const failed = results.filter(result => !isClean(result))
  console.log(`\n${summary(results)}\n`)
  console.log(`${results.length} rounds, ${failed.length} with findings, ${skipped.length} faults skipped; seed ${seed}`)
  return failed.length > 0 || results.length === 0 ? 1 : 0
}

/** A signal ends a round in the middle: everything that runs belongs to the scope, which is closed. */
async function orStopped<T> (work: Promise<T>): Promise<T> {
  return await Promise.race([work, stopped.promise])
}
