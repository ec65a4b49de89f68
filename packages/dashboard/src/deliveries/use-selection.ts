import { useState } from 'react'
import type { DeliverySummary } from 'tidings'
import type { Selection } from '../ui/table/data-table.tsx'

/** As many ids as one bulk action takes. */
const MAX_IDS = 10_000

/** Which rows are chosen, also those that are not to be seen. */
export function useSelection (rows: DeliverySummary[]) {
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set())
  const [last, setLast] = useState(-1)
  const all = rows.slice(0, MAX_IDS)
  const isAll = all.length > 0 && all.every(({ id }) => chosen.has(id))
  const table: Selection<DeliverySummary> = {
    has: ({ id }) => chosen.has(id),
    toggle: (index, isRange) => {
      const row = rows[index]
      if (!row) return
      const next = new Set(chosen)
      const isOn = !chosen.has(row.id)
      const from = isRange && last >= 0 ? Math.min(last, index) : index
      for (const { id } of rows.slice(from, (isRange ? Math.max(last, index) : index) + 1)) {
        if (isOn) next.add(id)
        else next.delete(id)
      }
      setChosen(next)
      setLast(index)
    },
    isAll,
    toggleAll: () => setChosen(isAll ? new Set() : new Set(all.map(({ id }) => id))),
    labelOf: ({ id }) => `delivery ${id}`
  }
  return { table, ids: [...chosen], clear: () => { setChosen(new Set()); setLast(-1) } }
}
