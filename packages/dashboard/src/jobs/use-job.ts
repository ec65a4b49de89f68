import { useRef, useState } from 'react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import type { Job } from 'tidings'
import { useThrottled } from '../lib/use-throttled.ts'
import { useClient, useLiveEvents, usePolling } from '../live/tidings.tsx'
import { applyEvent } from './apply-event.ts'

/** A chart that grows needs no more; the bar moves with each report. */
const SAMPLES_MS = 2000

/** A job as it changes, its timeline with attempts and progress, and when this page got each of its events. */
export function useJob (id: string, queue: string | undefined) {
  const client = useClient()
  const queries = useQueryClient()
  const polling = usePolling()
  const newest = useRef<string>(undefined)
  /** By the id of an event: milliseconds from the event to its arrival here. */
  const [arrivals, setArrivals] = useState<ReadonlyMap<string, number>>(new Map())
  const key = ['job', id, queue]
  const options = (signal: AbortSignal) => ({ signal, queue, after: newest.current })

  const job = useQuery({
    queryKey: [...key, 'job'], queryFn: ({ signal }) => client.jobs.get(id, options(signal)), refetchInterval: polling
  })
  const timeline = useQuery({
    queryKey: [...key, 'timeline'],
    queryFn: ({ signal }) => client.jobs.detailedTimeline(id, options(signal)),
    refetchInterval: polling
  })
  const readSamples = useThrottled(() => {
    queries.invalidateQueries({ queryKey: [...key, 'timeline'] }).catch(() => {})
  }, SAMPLES_MS)

  useLiveEvents(item => {
    if (item.type === 'gap') queries.invalidateQueries({ queryKey: key }).catch(() => {})
    if (item.type === 'gap' || item.jobId !== id || ('queue' in item && queue && item.queue !== queue)) return
    if (item.type === 'progress') {
      queries.setQueryData<Job>([...key, 'job'], old => old && { ...old, ...applyEvent(old, item) })
      readSamples()
      return
    }
    newest.current = item.eventId
    // Clocks differ a little.
    setArrivals(new Map(arrivals).set(item.eventId, Math.max(0, Date.now() - item.timestamp)))
    queries.invalidateQueries({ queryKey: key }).catch(() => {})
  })
  return { key, job, timeline, arrivals }
}
