import type { DeliveryStates, QueueStates } from 'tidings'
import { formatCount, formatDuration } from '../lib/format.ts'
import { Badge } from '../ui/badge.tsx'
import { Fact, Facts, Panel } from '../ui/panel.tsx'
import styles from './operators-page.module.css'

/** Beyond this something is stuck or overloaded. */
const LATE_MS = 10_000

/** The queues of BullMQ, and how far the relay is behind each. */
export function Queues ({ states }: { states: QueueStates }) {
  return (
    <Panel title='Queues' isFlush>
      <div className={styles.scroll} tabIndex={0} role='region' aria-label='Queues'>
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope='col'>Queue</th>
              {['Waiting', 'Active', 'Delayed', 'For children', 'Not relayed'].map(name => (
                <th key={name} scope='col' className={styles.number}>{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {states.queues.map(({ queue, isPaused, waiting, active, delayed, waitingChildren, relayBacklog }) => (
              <tr key={queue}>
                <th scope='row'>{queue} {isPaused && <Badge tone='warn'>paused</Badge>}</th>
                {[waiting, active, delayed, waitingChildren, relayBacklog].map((count, index) => (
                  <td key={index} className={styles.number}>{formatCount(count)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  )
}

/** How far the consumers are behind the stream, and what delivery holds. */
export function Consumers ({ queues, deliveries }: { queues: QueueStates, deliveries: DeliveryStates }) {
  return (
    <Panel title='Consumers'>
      <Facts>
        <Fact name='Stream'>{formatCount(queues.stream.events)} events</Fact>
        <Fact name='Polling is behind by'><Lag ms={queues.projectorLagMs} /></Fact>
        <Fact name='Webhooks are behind by'><Lag ms={deliveries.fanOutLagMs} /></Fact>
        <Fact name='Oldest delivery is late by'><Lag ms={deliveries.oldestDueMs} /></Fact>
        <Fact name='Pending deliveries'>{formatCount(deliveries.pending)}</Fact>
        <Fact name='Dispatchers'>
          {deliveries.workers.map(({ host, shards }) => (
            <div key={host}>{host} <span className={styles.soft}>{shards} shards</span></div>
          ))}
        </Fact>
      </Facts>
    </Panel>
  )
}

function Lag ({ ms }: { ms: number }) {
  return ms < LATE_MS ? formatDuration(ms) : <Badge tone='bad'>{formatDuration(ms)}</Badge>
}
