import { useEffect, useState } from 'react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import type { Bulk, NewBulk } from 'tidings'
import { formatCount } from '../lib/format.ts'
import { useClient } from '../live/tidings.tsx'
import { announce } from '../shell/announcer.tsx'
import { Button } from '../ui/button.tsx'
import { Call } from '../ui/call.tsx'
import { Dialog, DialogActions } from '../ui/dialog.tsx'
import { ErrorView, Loading } from '../ui/states.tsx'
import { toastError } from '../ui/toasts.tsx'
import { useAction } from '../ui/use-action.ts'
import styles from './bulk-redeliver.module.css'

/** What one bulk action takes. */
const MAX_ITEMS = 100_000

type What = Pick<Extract<NewBulk, { filter?: { webhookId?: number } }>, 'filter' | 'ids'>

/**
 * Counts first, then redelivers, with its progress and a way to stop. It runs in the service: closing the dialog or the
 * page does not end it.
 */
export function BulkRedeliver ({ what, onClose }: { what: What, onClose: () => void }) {
  const client = useClient()
  const queries = useQueryClient()
  const bulk = { action: 'redeliver', ...what } as NewBulk
  const count = useQuery({
    queryKey: ['bulk-count', bulk], queryFn: ({ signal }) => client.bulk.count(bulk, { signal }), gcTime: 0
  })
  const [bulkId, setBulkId] = useState<string>()
  const { isBusy: isStarting, run } = useAction()
  const now = useBulk(bulkId)

  const start = () => run(async () => setBulkId((await client.bulk.start(bulk)).bulkId))
  function close () {
    queries.invalidateQueries({ queryKey: ['deliveries-newest'] }).catch(() => {})
    onClose()
  }
  const matched = count.data ?? 0
  return (
    <Dialog
      isOpen onClose={close} title='Redeliver'
      description={bulkId
        ? 'It runs in the service: you may close this.'
        : 'Each is posted once more as a new delivery. Those that are still pending are left as they are.'}
    >
      {bulkId
        ? <Progress bulkId={bulkId} bulk={now} onClose={close} />
        : count.error
          ? <ErrorView error={count.error} onRetry={count.refetch} />
          : count.isPending
            ? <Loading rows={1} label='Counting' />
            : (
              <>
                <p className={styles.count}>
                  <b>{formatCount(matched)}{matched >= MAX_ITEMS ? ' or more' : ''}</b>
                  {matched === 1 ? ' delivery matches.' : ' deliveries match.'}
                </p>
                {matched > 0 && matched < MAX_ITEMS && (
                  <p className={styles.note}>Your endpoints get {formatCount(matched)} more
                    {matched === 1 ? ' request' : ' requests'}; receivers drop those whose webhook-id they know.
                  </p>
                )}
                {matched >= MAX_ITEMS && (
                  <p className={styles.note}>That is more than one action takes. Choose a shorter time.</p>
                )}
                <DialogActions>
                  <Call method='POST' path='/bulk' body={bulk} sdk={`await client.bulk.start(${JSON.stringify(bulk)})`} />
                  <Button onClick={close}>Back</Button>
                  <Button
                    kind='primary' disabled={isStarting || matched === 0 || matched >= MAX_ITEMS}
                    onClick={() => { start().catch(() => {}) }}
                  >
                    Redeliver {formatCount(matched)}
                  </Button>
                </DialogActions>
              </>
              )}
    </Dialog>
  )
}

/** Follows a bulk action to its end. */
function useBulk (bulkId: string | undefined): Bulk | undefined {
  const client = useClient()
  const [bulk, setBulk] = useState<Bulk>()
  useEffect(() => {
    if (!bulkId) return
    const leaving = new AbortController()
    async function follow (id: string) {
      for await (const now of client.bulk.watch(id, { signal: leaving.signal })) setBulk(now)
    }
    follow(bulkId).catch(error => { if (!leaving.signal.aborted) toastError(error) })
    return () => leaving.abort()
  }, [client, bulkId])
  return bulk
}

const STATE_WORDS: Record<Bulk['state'], string> = {
  waiting: 'Waits for an earlier action of yours',
  running: 'Running',
  finished: 'Finished',
  stopped: 'Stopped',
  failed: 'Not finished in a day'
}

function Progress ({ bulkId, bulk, onClose }: { bulkId: string, bulk: Bulk | undefined, onClose: () => void }) {
  const client = useClient()
  const state = bulk?.state ?? 'waiting'
  const isOver = state !== 'waiting' && state !== 'running'
  const { matched = 0, done = 0, failed = 0, skipped = 0, errors = [] } = bulk ?? {}
  useEffect(() => { if (isOver) announce(`${STATE_WORDS[state]}: ${done} redelivered`) }, [isOver, state, done])
  return (
    <>
      <div className={styles.progress}>
        <div className={styles.line}>
          <b>{STATE_WORDS[state]}</b>
          <span>{formatCount(done + failed + skipped)} of {formatCount(matched)}</span>
        </div>
        <progress aria-label='Redelivered' max={matched || 1} value={done + failed + skipped} />
        <p className={styles.note}>
          {formatCount(done)} redelivered, {formatCount(skipped)} left as they are, {formatCount(failed)} not possible
        </p>
      </div>
      {bulk?.reason && <p>{bulk.reason}</p>}
      {errors.length > 0 && (
        <ul className={styles.errors}>
          {errors.map(({ id, reason }) => <li key={id}><code>{id}</code> {reason}</li>)}
        </ul>
      )}
      <DialogActions>
        {!isOver && (
          <Button kind='danger' onClick={() => { client.bulk.stop(bulkId).catch(toastError) }}>Stop</Button>
        )}
        <Button kind='primary' onClick={onClose}>Close</Button>
      </DialogActions>
    </>
  )
}
