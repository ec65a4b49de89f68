import { useState } from 'react'
import { Ban, RotateCw } from 'lucide-react'
import type { NewBulk } from 'tidings'
import styles from '../bulk/bulk.module.css'
import { ConfirmBulk } from '../bulk/confirm-bulk.tsx'
import { formatCount } from '../lib/format.ts'
import { Button } from '../ui/button.tsx'
import { bulkFilter, type JobFilters } from './filters.ts'
import type { Chosen } from './use-selection.ts'

interface BulkBarProps {
  chosen: Chosen
  filters: JobFilters
  total: number
  isCapped: boolean
  onEverything: () => void
  onClear: () => void
}

/** What to do with the jobs that are chosen: on their ids, or on all that match the filters. */
export function BulkBar ({ chosen, filters, total, isCapped, onEverything, onClear }: BulkBarProps) {
  const [action, setAction] = useState<'retry' | 'cancel'>()
  const count = chosen.isEverything ? total : chosen.jobs.size
  const totalText = `${isCapped ? 'over ' : ''}${formatCount(total)}`
  const bulk: Omit<NewBulk, 'action'> = chosen.isEverything
    ? { filter: bulkFilter(filters, Date.now()) }
    : { ids: [...chosen.jobs.values()].map(({ id }) => id) }
  return (
    <div className={styles.bar} role='region' aria-label='Chosen jobs'>
      <span className={styles.count}>
        {chosen.isEverything ? `All ${totalText} that match are chosen` : `${formatCount(count)} chosen`}
      </span>
      {!chosen.isEverything && total > count && (
        <Button kind='quiet' size='small' onClick={onEverything}>Choose all {totalText} that match</Button>
      )}
      <span className={styles.space} />
      <Button size='small' icon={<RotateCw size={14} aria-hidden />} onClick={() => setAction('retry')}>Retry</Button>
      <Button size='small' kind='danger' icon={<Ban size={14} aria-hidden />} onClick={() => setAction('cancel')}>
        Cancel
      </Button>
      <Button size='small' kind='quiet' onClick={onClear}>Clear</Button>
      {action && (
        <ConfirmBulk
          bulk={{ ...bulk, action } as NewBulk} onClose={() => setAction(undefined)}
          onConfirmed={() => { setAction(undefined); onClear() }}
        />
      )}
    </div>
  )
}
