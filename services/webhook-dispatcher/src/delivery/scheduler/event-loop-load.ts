import { performance } from 'node:perf_hooks'

const BUSY_SHARE = 0.8
const LOOK_MS = 500

let last = performance.eventLoopUtilization()
let seenAt = performance.now()
let isSaturated = false

/** Whether this process had hardly a pause lately: then answers seem slow because they are read late. */
export function isEventLoopBusy (): boolean {
  const now = performance.now()
  if (now - seenAt < LOOK_MS) return isSaturated
  const current = performance.eventLoopUtilization()
  isSaturated = performance.eventLoopUtilization(current, last).utilization > BUSY_SHARE
  last = current
  seenAt = now
  return isSaturated
}
