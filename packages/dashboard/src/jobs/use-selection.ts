import { useRef, useState } from 'react'
import type { JobSummary } from 'tidings'
import type { Selection } from '../ui/table/data-table.tsx'
import { keyOf } from './apply-event.ts'
import type { JobPages } from './job-pages.ts'

/** Rows that are chosen, by their keys, or all that match the filters. */
export interface Chosen { jobs: Map<string, JobSummary>, isEverything: boolean }

const NONE: Chosen = { jobs: new Map(), isEverything: false }

export function useSelection (pages: JobPages | undefined) {
  const [chosen, setChosen] = useState(NONE)
  const last = useRef<number>(undefined)

  function toggle (index: number, isRange: boolean) {
    const row = pages?.rowAt(index)
    if (!pages || !row) return
    const jobs = new Map(chosen.jobs)
    const isOn = !jobs.has(keyOf(row))
    const from = isRange && last.current !== undefined ? last.current : index
    for (let each = Math.min(from, index); each <= Math.max(from, index); each++) {
      const job = pages.rowAt(each)
      if (job && isOn) jobs.set(keyOf(job), job)
      else if (job) jobs.delete(keyOf(job))
    }
    last.current = index
    setChosen({ jobs, isEverything: false })
  }

  const isAll = chosen.isEverything || (chosen.jobs.size > 0 && chosen.jobs.size === (pages?.loaded().length ?? 0))
  const selection: Selection<JobSummary> = {
    has: job => chosen.isEverything || chosen.jobs.has(keyOf(job)),
    toggle,
    isAll,
    toggleAll: () => setChosen(isAll
      ? NONE
      : { jobs: new Map(pages?.loaded().map(job => [keyOf(job), job])), isEverything: false }),
    labelOf: ({ name, id }) => `${name} ${id}`
  }
  return {
    chosen,
    selection,
    chooseEverything: () => setChosen({ jobs: chosen.jobs, isEverything: true }),
    clear: () => setChosen(NONE)
  }
}
