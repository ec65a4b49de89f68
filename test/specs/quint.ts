import { fileURLToPath } from 'node:url'
import {
  load, parse, runSimulator, runTests, typecheck, type CLIProcedure, type ErrResult, type TypecheckedStage
} from '@informalsystems/quint/dist/src/cliCommands.js'

export type Outcome = {
  status: 'ok' | 'violation' | 'error'
  /** The command that shows it again, with every state. */
  repeat: string
}

type Choices = { seed: number, samples: number }

/**
 * Reads a specification and checks its types; throws where it has faults. The functions are those of the command
 * `quint`, in this process and with the evaluator in TypeScript: the one in Rust would be downloaded.
 */
export async function openSpec (path: string) {
  const input = fileURLToPath(new URL(`../../${path}`, import.meta.url))
  const args = { input, backend: 'typescript', verbosity: 0, init: 'init', step: 'step', witnesses: [] }
  const spec = orThrow(await typecheck(orThrow(await parse(orThrow(await load(args))))))

  const withArgs = (more: object): TypecheckedStage => ({ ...spec, args: { ...args, ...more } })

  /** Runs a module `samples` times, with random choices, and checks its `safe` in every state until one violates it. */
  async function simulate (main: string, { seed, samples, steps }: Choices & { steps: number }): Promise<Outcome> {
    const stage = stageOf(await runSimulator(withArgs({
      main, invariant: 'safe', seed: BigInt(seed), maxSamples: samples, maxSteps: steps
    })))
    const status = stage.status === 'ok' || stage.status === 'violation' ? stage.status : 'error'
    const repeat = `quint run --backend typescript --main ${main} --invariant safe --max-steps ${steps} ` +
      `--seed ${stage.seed} ${path}`
    return { status, repeat }
  }

  /** Runs the test of a module (`run …Test`) `samples` times, with random choices; whether it passed each time. */
  async function passes (main: string, { seed, samples }: Choices): Promise<boolean> {
    const stage = stageOf(await runTests(withArgs({ main, seed: BigInt(seed), maxSamples: samples })))
    const { passed = [], failed = [] } = stage as { passed?: string[], failed?: string[] }
    if (passed.length + failed.length !== 1) throw new Error(`${main} has no test, or several`)
    return passed.length === 1
  }

  return { modules: spec.modules.map(({ name }) => name), simulate, passes }
}

/** What a command has found, whether it calls that an error or not. */
function stageOf<Stage> (result: CLIProcedure<Stage>) {
  return result.isRight() ? result.value : (result.value as ErrResult).stage
}

function orThrow<Stage> (result: CLIProcedure<Stage>): Stage {
  return result.unwrap(({ msg, stage }) => {
    const errors = stage.errors.map(({ explanation, locs: [at] }) =>
      `${explanation} (${at?.source}:${at ? at.start.line + 1 : '?'})`)
    return new Error([msg, ...errors].join('\n'))
  })
}
