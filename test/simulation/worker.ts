import { parentPort, workerData } from 'node:worker_threads'
import { Simulation, Violation, type Scenario } from './simulation.ts'

/** Which schedules of which variant of a protocol to run. */
export type Job = { variant: string, from: number, to: number }

/** The first schedule that failed; `isViolation` is false if the simulation itself did. */
export type Found = { seed: number, message: string, isViolation: boolean, trace: string[] }

type Protocol = { variants: Record<string, Scenario> }

/** Runs schedules until one violates an invariant. */
async function run ({ variant, from, to }: Job): Promise<Found | undefined> {
  const { variants } = await import(workerData as string) as Protocol
  const scenario = variants[variant]
  if (!scenario) throw new Error(`There is no variant ${variant}`)
  for (let seed = from; seed <= to; seed++) {
    const simulation = new Simulation(seed)
    try {
      await simulation.run(scenario)
    } catch (err) {
      const isViolation = err instanceof Violation
      const message = isViolation ? err.message : String((err as Error).stack)
      return { seed, message, isViolation, trace: simulation.trace }
    }
  }
  return undefined
}

// Most of the time would go into the stacks of the errors that the schedules throw.
if (process.env.SEED === undefined) Error.stackTraceLimit = 0

parentPort?.on('message', (job: Job) => {
  run(job).then(found => parentPort?.postMessage({ found }), (err: unknown) => { throw err })
})
