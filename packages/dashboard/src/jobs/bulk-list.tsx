import { useEffect, useRef } from 'react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { CircleStop } from 'lucide-react'
import type { Bulk } from 'tidings'
import { formatCount } from '../lib/format.ts'
import { useClient } from '../live/tidings.tsx'
import { announce } from '../shell/announcer.tsx'
import { Button } from '../ui/button.tsx'
import { toast, toastError } from '../ui/toasts.tsx'
import styles from './bulk.module.css'

export const BULKS = ['bulk', 'list']
const POLL_MS = 1000
const IDLE_MS = 30_000

const isRunning = ({ state }: Bulk) => state === 'waiting' || state === 'running'

/** The user's bulk actions that run, those of other pages and of earlier visits too. */
export function BulkList () {
  const client = useClient()
  const { data = [] } = useQuery({
    queryKey: BULKS,
    queryFn: ({ signal }) => client.bulk.list({ signal }),
    refetchInterval: ({ state: { data } }) => data?.some(isRunning) ? POLL_MS : IDLE_MS
  })
  const former = useRef(new Set<string>())
  useEffect(() => {
    for (const bulk of data) if (!isRunning(bulk) && former.current.has(bulk.bulkId)) say(bulk)
    former.current = new Set(data.filter(isRunning).map(({ bulkId }) => bulkId))
  }, [data])
  const running = data.filter(isRunning)
  if (running.length === 0) return null
  return <ul className={styles.list}>{running.map(each => <Running key={each.bulkId} bulk={each} />)}</ul>
}

function Running ({ bulk }: { bulk: Bulk }) {
  const client = useClient()
  const queries = useQueryClient()
  const { bulkId, action, matched, done, failed, skipped } = bulk
  const stop = useMutation({
    mutationFn: () => client.bulk.stop(bulkId),
    onSettled: () => queries.invalidateQueries({ queryKey: BULKS }),
    onError: toastError
  })
  const over = done + failed + skipped
  const label = `${action} of ${formatCount(matched)}`
  return (
    <li className={styles.running}>
      <span className={styles.count}>{label}</span>
      <progress aria-label={label} max={matched} value={over} />
      <span className={styles.numbers}>{formatCount(over)} done{failed > 0 && `, ${formatCount(failed)} not possible`}</span>
      <Button
        size='small' icon={<CircleStop size={14} aria-hidden />} disabled={stop.isPending} onClick={() => stop.mutate()}
      >
        Stop
      </Button>
    </li>
  )
}

function say ({ action, state, done, failed, skipped, matched }: Bulk) {
  const words = state === 'finished' ? `${formatCount(done)} of ${formatCount(matched)} done` : state
  const title = `${action}: ${words}`
  const rest = [
    failed > 0 && `${formatCount(failed)} were not possible`,
    skipped > 0 && `${formatCount(skipped)} had changed`
  ]
  toast(title, { description: rest.filter(Boolean).join(', ') })
  announce(title)
}
