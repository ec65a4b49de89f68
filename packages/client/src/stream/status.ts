import type { Channel } from './event-stream.ts'

export interface Status {
  /**
   * `live`: everything arrives as it happens. `recovering`: the connection was lost; it resumes where it was.
   * `polling`: no channel can push for now, jobs are asked for. `closed`: over, for `reason`.
   */
  state: 'idle' | 'connecting' | 'live' | 'recovering' | 'polling' | 'closed'
  channel?: Channel
  /** Why it is not live. */
  reason?: string
  /** When this state began, in milliseconds. */
  since: number
}

/** Holds a status, and reports each that differs from the one before. */
export function createStatus (onChange?: (status: Status) => void) {
  const holder = {
    current: { state: 'idle', since: Date.now() } as Status,
    set: (state: Status['state'], reason?: string, channel?: Channel) => {
      const { current } = holder
      if (current.state === state && current.reason === reason && current.channel === channel) return
      const next: Status = holder.current = { state, since: Date.now() }
      if (channel) next.channel = channel
      if (reason) next.reason = reason
      onChange?.(next)
    }
  }
  return holder
}
