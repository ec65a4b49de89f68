import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from 'wouter'
import { Square } from 'lucide-react'
import type { Replay, ReplaySummary } from 'tidings'
import { formatCount } from '../lib/format.ts'
import { useClient } from '../live/tidings.tsx'
import { useCan } from '../session/use-can.ts'
import { Badge } from '../ui/badge.tsx'
import { Button } from '../ui/button.tsx'
import { Call } from '../ui/call.tsx'
import { Panel } from '../ui/panel.tsx'
import { Empty, ErrorView, Loading } from '../ui/states.tsx'
import { Time } from '../ui/time.tsx'
import { toast, toastError } from '../ui/toasts.tsx'
import styles from './replays.module.css'

const SHOWN = 50
const RUNNING_MS = 1500

/** The replays of a webhook, with what became of their deliveries. */
export function Replays ({ webhookId }: { webhookId: number }) {
  const client = useClient()
  const { data, error, refetch } = useQuery({
    queryKey: ['replays', webhookId],
    queryFn: async ({ signal }) => (await client.webhooks.replays(webhookId, { limit: SHOWN, signal }).page()).replays,
    refetchInterval: ({ state }) => state.data?.some(({ status }) => status === 'running') ? RUNNING_MS : false
  })
  return (
    <Panel
      title='Replays' isFlush note={data && data.length === SHOWN ? `the newest ${SHOWN}` : undefined}
      actions={(
        <Call
          size='small' path={`/webhooks/${webhookId}/replays`}
          sdk={`for await (const replay of client.webhooks.replays(${webhookId})) console.log(replay)`}
        />
      )}
    >
      {error && !data
        ? <ErrorView error={error} onRetry={refetch} />
        : !data
            ? <Loading rows={3} />
            : data.length === 0
              ? (
                <Empty title='No replays yet'>
                  A replay sends the events of some time again: those that failed while an endpoint was away, or all
                  since a moment.
                </Empty>
                )
              : <ul className={styles.list}>{data.map(each => <Item key={each.id} summary={each} />)}</ul>}
    </Panel>
  )
}

function Item ({ summary }: { summary: ReplaySummary }) {
  const { id, webhookId, status, createdAt, conditions } = summary
  const client = useClient()
  const queries = useQueryClient()
  const canWrite = useCan('webhooks:write')
  const queryKey = ['replay', webhookId, id]
  const { data: replay } = useQuery({
    queryKey,
    queryFn: ({ signal }) => client.webhooks.getReplay(webhookId, id, { signal }),
    refetchInterval: ({ state }) => state.data && isOver(state.data) ? false : RUNNING_MS
  })
  const isRunning = replay ? !isOver(replay) : status === 'running'

  async function stop () {
    try {
      await client.webhooks.stopReplay(webhookId, id)
      toast('Stopped: what waited is closed')
      await queries.invalidateQueries({ queryKey: ['replays', webhookId] })
      await queries.invalidateQueries({ queryKey })
    } catch (error) {
      toastError(error)
    }
  }
  return (
    <li>
      <div className={styles.words}>
        <p className={styles.title}>
          <Badge tone={status === 'running' ? 'busy' : status === 'stopped' ? 'warn' : 'ok'} dot>{status}</Badge>
          <Conditions {...conditions} />
        </p>
        <p className={styles.soft}>Replay {id}, <Time at={createdAt} /></p>
      </div>
      {replay && <Outcomes replay={replay} />}
      <div className={styles.actions}>
        <Link href={`/webhooks/${webhookId}/deliveries?origin=replay&originId=${id}`}>Deliveries</Link>
        {canWrite && isRunning && (
          <Button
            size='small' kind='danger' icon={<Square size={12} aria-hidden />}
            onClick={() => { stop().catch(() => {}) }}
          >
            Stop
          </Button>
        )}
      </div>
    </li>
  )
}

const isOver = ({ status, outcomes }: Replay): boolean => status !== 'running' && outcomes.pending === 0

function Conditions ({ since, until, status, eventTypes }: Replay['conditions']) {
  return (
    <span>
      {status === 'failed' ? 'Failed ' : 'All '}
      {eventTypes && eventTypes.length > 0 ? eventTypes.join(' and ') : 'events'} since <Moment at={since} />
      {until && <> until <Moment at={until} /></>}
    </span>
  )
}

/** A time, or the id of an event. */
function Moment ({ at }: { at: string | undefined }) {
  return at === undefined || /^\d+-\d+$/.test(at) ? <code>{at ?? 'the start'}</code> : <Time at={at} as='exact' />
}

function Outcomes ({ replay: { id, deliveries, outcomes } }: { replay: Replay }) {
  const { delivered, failed, closed, pending } = outcomes
  return (
    <div className={styles.outcomes}>
      <progress aria-label={`Replay ${id}: ended`} max={Math.max(1, deliveries)} value={deliveries - pending} />
      <p>
        <span className={styles.soft}>{formatCount(deliveries)} sent:</span> {formatCount(delivered)} delivered
        {failed > 0 && <>, <span className={styles.bad}>{formatCount(failed)} failed</span></>}
        {closed > 0 && `, ${formatCount(closed)} closed`}{pending > 0 && `, ${formatCount(pending)} pending`}
      </p>
    </div>
  )
}
