import { useEffect, useEffectEvent, useRef } from 'react'

/** Calls `run` at most once each `paceMs`, and once more after the last call. */
export function useThrottled (run: () => void, paceMs: number): () => void {
  const call = useEffectEvent(run)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const isDue = useRef(false)
  const start = useRef<() => void>(() => {})
  useEffect(() => {
    start.current = () => {
      isDue.current = true
      if (timer.current !== undefined) return
      const next = () => {
        timer.current = undefined
        if (!isDue.current) return
        isDue.current = false
        call()
        timer.current = setTimeout(next, paceMs)
      }
      next()
    }
    return () => {
      clearTimeout(timer.current)
      timer.current = undefined
    }
  }, [paceMs])
  return () => start.current()
}
