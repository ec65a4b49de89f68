import { useEffect, useState } from 'react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { CircleStop, X } from 'lucide-react'
import type { Bulk } from 'tidings'
import { formatCount } from '../lib/format.ts'
import { useClient, useLiveBulks, useLiveStatus } from '../live/tidings.tsx'
import { announce } from '../shell/announcer.tsx'
import { Button, IconButton } from '../ui/button.tsx'
import { toast, toastError } from '../ui/toasts.tsx'
import styles from './bulk.module.css'
import { itemsText, WORDS } from './words.ts'

export const BULKS = ['bulk', 'list']
/** While one runs: without a connection, and with one, as what is pushed may be lost. */
const POLL_MS = 1000
const PUSHED_MS = 10_000
const IDLE_MS = 30_000

const STATE_WORDS: Record<Bulk['state'], string> = {
  waiting: 'done: it waits for an earlier action of yours',
  running: 'done',
  finished: 'done',
  stopped: 'done, then it was stopped',
  failed: 'done: it was not finished in a day'
}

/** Those whose end is to be said: of this page, and others that ran while it was open. */
const followed = new Set<string>()

/** Its end is said, however fast it comes. */
export function follow (bulkId: string): void {
  followed.add(bulkId)
}

const isRunning = ({ state }: Pick<Bulk, 'state'>) => state === 'waiting' || state === 'running'

/** The user's bulk actions that run, those of other pages and of earlier visits too, and what ended with faults. */
export function BulkList ({ actions, onEnd }: { actions: Bulk['action'][], onEnd?: () => void }) {
  const client = useClient()
  const queries = useQueryClient()
  const runningMs = useLiveStatus().state === 'live' ? PUSHED_MS : POLL_MS
  const [ended, setEnded] = useState<Bulk[]>([])
  const { data = [] } = useQuery({
    queryKey: BULKS,
    queryFn: ({ signal }) => client.bulk.list({ signal }),
    refetchInterval: ({ state: { data } }) => data?.some(isRunning) ? runningMs : IDLE_MS
  })
  useLiveBulks(progress => {
    const isKnown = data.some(({ bulkId }) => bulkId === progress.bulkId)
    // An end comes with reasons, which are not pushed.
    if (!isKnown || !isRunning(progress)) queries.invalidateQueries({ queryKey: BULKS }).catch(() => {})
    else {
      queries.setQueryData<Bulk[]>(BULKS, before =>
        before?.map(bulk => bulk.bulkId === progress.bulkId ? { ...bulk, ...progress } : bulk))
    }
  })
  const bulks = data.filter(({ action }) => actions.includes(action))
  useEffect(() => {
    for (const bulk of bulks) {
      if (isRunning(bulk)) follow(bulk.bulkId)
      else if (followed.delete(bulk.bulkId)) {
        say(bulk)
        if (bulk.errors.length > 0) setEnded(before => [bulk, ...before])
        onEnd?.()
      }
    }
  }, [data])
  const shown = [...bulks.filter(isRunning), ...ended]
  if (shown.length === 0) return null
  return (
    <ul className={styles.list} aria-label='Actions on many'>
      {shown.map(each => (
        <Item
          key={each.bulkId} bulk={each}
          onDismiss={() => setEnded(ended.filter(({ bulkId }) => bulkId !== each.bulkId))}
        />
      ))}
    </ul>
  )
}

function Item ({ bulk, onDismiss }: { bulk: Bulk, onDismiss: () => void }) {
  const client = useClient()
  const queries = useQueryClient()
  const { bulkId, matched, done, failed, skipped, reason, errors } = bulk
  const stop = useMutation({
    mutationFn: () => client.bulk.stop(bulkId),
    onSettled: () => queries.invalidateQueries({ queryKey: BULKS }),
    onError: toastError
  })
  const title = titleOf(bulk)
  return (
    <li className={styles.running}>
      <span className={styles.count}>{title}</span>
      <progress aria-label={title} max={matched || 1} value={done + failed + skipped} />
      <span className={styles.numbers}>{outcomeOf(bulk)}</span>
      {isRunning(bulk)
        ? (
          <Button
            size='small' icon={<CircleStop size={14} aria-hidden />} disabled={stop.isPending}
            onClick={() => stop.mutate()}
          >
            Stop
          </Button>
          )
        : <IconButton label='Close' onClick={onDismiss}><X size={14} aria-hidden /></IconButton>}
      {reason && <p className={styles.errors}>{reason}</p>}
      {errors.length > 0 && (
        <details className={styles.errors}>
          <summary>Why not</summary>
          <ul>{errors.map(({ id, reason }) => <li key={id}><code>{id}</code> {reason}</li>)}</ul>
        </details>
      )}
    </li>
  )
}

const titleOf = ({ action, matched }: Bulk) =>
  `${WORDS[action].verb} ${formatCount(matched)} ${itemsText(action, matched)}`

function outcomeOf ({ state, matched, done, failed, skipped }: Bulk): string {
  return [
    `${formatCount(done)} of ${formatCount(matched)} ${STATE_WORDS[state]}`,
    ...(failed > 0 ? [`${formatCount(failed)} not possible`] : []),
    ...(skipped > 0 ? [`${formatCount(skipped)} left as they are`] : [])
  ].join(', ')
}

function say (bulk: Bulk) {
  toast(titleOf(bulk), { description: outcomeOf(bulk) })
  announce(`${titleOf(bulk)}: ${outcomeOf(bulk)}`)
}
