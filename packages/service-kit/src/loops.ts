import type { FastifyBaseLogger } from 'fastify'
import fp from 'fastify-plugin'
import { StepTimeout, withRenewableTimeout } from './async.ts'
import { prom } from './metrics.ts'

/** Longer than a page of any loop takes in which every statement and command reaches its own timeout. */
const TIMEOUT_MS = 120_000

export type Loop = {
  /**
   * The outcome of a step; `alive`, called after each page of a long one, gives it its whole time again.
   * @throws StepTimeout after that time; the step itself may end later
   */
  step<T> (this: void, work: (alive: () => void) => Promise<T>): Promise<T>
  /** The loop has ended: what it left open is nobody's wait any more. */
  end (this: void): void
}

type State = { silentSince: number | undefined, isLate: boolean }

export type Loops = ReturnType<typeof createLoops>

type LoopsOptions = {
  log: Pick<FastifyBaseLogger, 'error'>
  onTimeout?: (name: string) => void
}

/**
 * The loops of a process and how long each waits for its current step. A loop that waits without end for a promise that
 * nothing settles would stand still in silence: here the step is given up, and the loop counts as stalled until one of
 * its steps ends, whatever its outcome.
 */
export function createLoops ({ log, onTimeout }: LoopsOptions) {
  const states = new Map<string, State>()

  /** The loop of this name, which was there before if another holder of its lease has ended. */
  function watch (name: string, timeoutMs = TIMEOUT_MS): Loop {
    const state: State = { silentSince: undefined, isLate: false }
    states.set(name, state)

    async function step<T> (work: (alive: () => void) => Promise<T>): Promise<T> {
      let [isOver, isLate] = [false, false]
      state.silentSince ??= performance.now()
      const alive = (again: () => void) => {
        if (isOver) return // what is left of a step that was given up
        end()
        state.silentSince = performance.now()
        again()
      }
      try {
        return await withRenewableTimeout(again => work(() => alive(again)), timeoutMs, (): never => {
          isLate = true
          throw new StepTimeout(timeoutMs)
        })
      } finally {
        isOver = true
        if (isLate) giveUp(name, state)
        else end()
      }
    }

    function end () {
      state.silentSince = undefined
      state.isLate = false
    }

    return { step, end }
  }

  function giveUp (name: string, state: State) {
    state.isLate = true
    onTimeout?.(name)
    log.error({ loop: name, seconds: silentSeconds(state) }, 'loop: a step did not end in time and was given up')
  }

  return {
    watch,
    /** Seconds since a step of each loop ended, while one is awaited; 0 between steps. */
    silences: (): [name: string, seconds: number][] =>
      [...states].map(([name, state]) => [name, silentSeconds(state)]),
    /** The reason for a readiness check: the loops of which a step was given up, and none has ended since. */
    fault (this: void): string | undefined {
      const late = [...states].filter(([, { isLate }]) => isLate)
      if (late.length === 0) return undefined
      return late.map(([name, state]) => `${name}: no step has ended for ${Math.round(silentSeconds(state))} s`).join('; ')
    }
  }
}

function silentSeconds ({ silentSince }: State): number {
  return silentSince === undefined ? 0 : (performance.now() - silentSince) / 1000
}

/** Decorates `app.loops`, with a required check of `/readyz`, `loops`, and metrics of each loop. */
export const loops = fp(async function loops (app) {
  const registers = [app.metricsRegistry]
  const givenUp = new prom.Counter({
    name: 'tidings_loop_steps_given_up_total',
    help: 'Steps of a loop that did not end in time; the loop went on without them',
    labelNames: ['loop'],
    registers
  })
  const all = createLoops({ log: app.log, onTimeout: loop => givenUp.inc({ loop }) })
  const silence = new prom.Gauge({
    name: 'tidings_loop_silent_seconds',
    help: 'For how long a loop has waited for its current step; 0 between steps',
    labelNames: ['loop'],
    registers,
    collect: () => { for (const [loop, seconds] of all.silences()) silence.set({ loop }, seconds) }
  })
  app.decorate('loops', all)
  app.addReadinessCheck('loops', 'required', all.fault)
}, { name: 'loops', dependencies: ['health', 'metrics'] })

declare module 'fastify' {
  interface FastifyInstance {
    /** The loops of this process, for those that have no position to watch (`watchForStall`). */
    loops: Loops
  }
}
