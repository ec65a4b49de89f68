import { setImmediate as nextTurn } from 'node:timers/promises'

export interface FlatOut {
  events: number
  /** Emitted in one turn of the event loop. */
  perTurn: number
  /** The most events in flight. */
  window: number
}

/** Events of one run, for users 1 to `users` in turn. */
export interface FanOut extends FlatOut { run: number, users: number }

/** Emits as fast as the clients receive. */
export function createFlatOut () {
  let arrived = 0
  return {
    arrived: (count: number) => { arrived = count },
    run: async ({ events, perTurn, window }: FlatOut, emit: (seq: number) => void) => {
      arrived = 0
      for (let seq = 0; seq < events; await nextTurn()) {
        const end = Math.min(events, seq + perTurn, Math.floor(arrived) + window)
        for (; seq < end; seq++) emit(seq)
      }
    }
  }
}
