import { performance } from 'node:perf_hooks'

const BUSY_SHARE = 0.8
const CHECK_MS = 500

let last = performance.eventLoopUtilization()
let checkedAt = performance.now()
let isSaturated = false

/** Whether the event loop was hardly idle lately: then responses seem slow because they are read late. */
export function isEventLoopBusy (): boolean {
  const now = performance.now()
  if (now - checkedAt < CHECK_MS) return isSaturated
  const current = performance.eventLoopUtilization()
  isSaturated = performance.eventLoopUtilization(current, last).utilization > BUSY_SHARE
  last = current
  checkedAt = now
  return isSaturated
}
