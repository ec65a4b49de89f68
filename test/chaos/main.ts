// npm run chaos -- --minutes 30 [--seed N] [--faults a,b] [--watch] [--list]
import { parseArgs } from 'node:util'
import { isClean } from './check/findings.ts'
import { faultNamed, faults } from './faults/index.ts'
import { random as randomOf } from './random.ts'
import { roundLines, summary } from './report.ts'
import { runRound, type RoundResult } from './round.ts'
import { schedule } from './schedule.ts'
import { startChaos } from './start.ts'
import { createScope } from './scope.ts'
import { healthLines } from './system/health.ts'

const USERS = 5
const WORKERS = 2
const PAUSE_MS: [number, number] = [100, 900]

const stopped = Promise.withResolvers<never>()
stopped.promise.catch(() => {}) // it may end a round, or come between two
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => stopped.reject(new Error(`stopped by ${signal}`)))
}

try {
  await main()
} catch (err) {
  console.error(err instanceof Error ? err.stack : err)
  process.exitCode = 1
}
process.exit()

async function main (): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      faults: { type: 'string' },
      list: { type: 'boolean', default: false },
      watch: { type: 'boolean', default: false }
    }
  })
  if (values.list) {
    for (const { name, what } of faults) console.log(`${name.padEnd(24)}${what}`)
    return
  }
  const [minutes, seed] = [Number(values.minutes), Number(values.seed)]
  if (!(minutes > 0) || !Number.isSafeInteger(seed)) throw new Error('--minutes is a number above 0, --seed an integer')
  const chosen = values.faults?.split(',').map(faultNamed) ?? faults
  console.log(`seed ${seed}, ${minutes} minutes, ${chosen.length} faults`)
  process.exitCode = await run({ minutes, seed, chosen, isWatched: values.watch })
}

type RunOptions = { minutes: number, seed: number, chosen: typeof faults, isWatched: boolean }

async function run ({ minutes, seed, chosen, isWatched }: RunOptions): Promise<0 | 1> {
  const scope = createScope()
  const results: RoundResult[] = []
  try {
    const context = await orStopped(startChaos(scope, { users: USERS, workers: WORKERS, pauseMs: PAUSE_MS }))
    const watch = async () => { for (const line of await healthLines(context.system)) console.log(line) }
    const deadline = Date.now() + minutes * 60_000
    const random = randomOf(seed)
    for (const faults of schedule(chosen, random)) {
      if (Date.now() > deadline) break
      const result = await orStopped(
        runRound({ ...context, ...(isWatched && { duringFault: watch }) }, faults, random.between(0, 1_000_000))
      )
      results.push(result)
      for (const line of roundLines(result)) console.log(line)
    }
  } finally {
    await scope.close()
  }
  const failed = results.filter(result => !isClean(result))
  console.log(`\n${summary(results)}\n`)
  console.log(`${results.length} rounds, ${failed.length} with findings; seed ${seed}`)
  return failed.length > 0 || results.length === 0 ? 1 : 0
}

/** A signal ends a round in the middle: everything that runs belongs to the scope, which is closed. */
async function orStopped<T> (work: Promise<T>): Promise<T> {
  return await Promise.race([work, stopped.promise])
}
