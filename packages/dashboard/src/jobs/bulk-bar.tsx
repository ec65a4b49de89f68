import { useState } from 'react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Ban, RotateCw } from 'lucide-react'
import type { NewBulk } from 'tidings'
import { formatCount } from '../lib/format.ts'
import { useClient } from '../live/tidings.tsx'
import { Button } from '../ui/button.tsx'
import { Confirm } from '../ui/dialog.tsx'
import { ErrorView } from '../ui/states.tsx'
import { toast, toastError } from '../ui/toasts.tsx'
import styles from './bulk.module.css'
import { BULKS } from './bulk-list.tsx'
import type { JobFilters } from './filters.ts'
import { bulkFilter } from './filters.ts'
import type { Chosen } from './use-selection.ts'

type Action = 'retry' | 'cancel'

const WORDS = {
  retry: { verb: 'Retry', which: 'failed', none: 'None of them has failed: only failed jobs can be retried.' },
  cancel: { verb: 'Cancel', which: 'open', none: 'All of them have ended: only open jobs can be cancelled.' }
}

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
  const [action, setAction] = useState<Action>()
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
        <Ask
          action={action} bulk={{ ...bulk, action } as NewBulk}
          onClose={() => setAction(undefined)} onStarted={() => { setAction(undefined); onClear() }}
        />
      )}
    </div>
  )
}

/** Counts first, then asks, then starts. */
function Ask ({ action, bulk, onClose, onStarted }: {
  action: Action
  bulk: NewBulk
  onClose: () => void
  onStarted: () => void
}) {
  const client = useClient()
  const queries = useQueryClient()
  const { verb, which, none } = WORDS[action]
  const { data: matched, error } = useQuery({
    queryKey: ['bulk', 'count', bulk],
    queryFn: ({ signal }) => client.bulk.count(bulk, { signal }),
    gcTime: 0,
    staleTime: 0
  })
  const start = useMutation({
    mutationFn: () => client.bulk.start(bulk),
    onSuccess: ({ matched }) => {
      toast(`${verb} of ${formatCount(matched)} jobs has begun`)
      queries.invalidateQueries({ queryKey: BULKS }).catch(() => {})
      onStarted()
    },
    onError: toastError
  })
  const isNone = matched === 0
  return (
    <Confirm
      isOpen onClose={onClose} onConfirm={() => start.mutate()} isDangerous={action === 'cancel'}
      isBusy={matched === undefined || isNone || start.isPending}
      title={matched === undefined ? `${verb} jobs` : `${verb} ${formatCount(matched)} ${matched === 1 ? 'job' : 'jobs'}?`}
      confirm={matched === undefined || isNone ? verb : `${verb} ${formatCount(matched)}`}
    >
      {error
        ? <ErrorView error={error} />
        : matched === undefined
          ? 'Counting the jobs that match …'
          : isNone
            ? none
            : `They are the ${which} ones of those that are chosen. You can stop it on the way; what was done stays done.`}
    </Confirm>
  )
}
