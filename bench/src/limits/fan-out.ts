import type { FlatOut } from './flat-out.ts'

export interface FanOut extends FlatOut {
  run: number
  /** Told in turn. */
  users: number
}
