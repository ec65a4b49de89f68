import { useState } from 'react'
import { useQuery } from '@tanstack/react-query'
import { useClient } from '../live/tidings.tsx'
import { PageHead } from '../shell/page.tsx'
import { Call } from '../ui/call.tsx'
import { Panel } from '../ui/panel.tsx'
import { ErrorView, Loading } from '../ui/states.tsx'
import { AllJobs } from './all-jobs.tsx'
import { POLL_MS } from './all-users.ts'
import { FailingEndpoints } from './failing-endpoints.tsx'
import { OpenUser } from './open-user.tsx'
import styles from './operators-page.module.css'
import { Consumers, Queues } from './system.tsx'

const STATES = ['failed', 'active', 'waiting', 'delayed', 'completed'] as const
type State = typeof STATES[number]

/** For operators: queues and consumers, endpoints that fail, the jobs of all users, and the pages of any user. */
export default function OperatorsPage () {
  return (
    <>
      <PageHead
        title='All users'
        actions={
          <>
            <OpenUser />
            <Call
              path='/operators/queues' sdk='console.log(await client.operators.queues())'
              more={[
                {
                  name: 'Deliveries',
                  path: '/operators/deliveries',
                  sdk: 'console.log(await client.operators.deliveries())'
                },
                {
                  name: 'Jobs of all users',
                  path: '/jobs?userId=*&status=failed',
                  sdk: 'console.log(await client.jobs.list({ userId: \'*\', status: \'failed\' }).page())'
                }
              ]}
            />
          </>
        }
      >
        For operators. Each request is in the audit log.
      </PageHead>
      <div className={styles.panels}>
        <System />
        <Jobs />
      </div>
    </>
  )
}

function System () {
  const client = useClient()
  const queues = useQuery({
    queryKey: ['operators', 'queues'],
    queryFn: ({ signal }) => client.operators.queues({ signal }),
    refetchInterval: POLL_MS
  })
  const deliveries = useQuery({
    queryKey: ['operators', 'deliveries'],
    queryFn: ({ signal }) => client.operators.deliveries({ signal }),
    refetchInterval: POLL_MS
  })
  return (
    <>
      {queues.data
        ? <Queues states={queues.data} />
        : <Missing title='Queues' error={queues.error} onRetry={queues.refetch} />}
      {queues.data && deliveries.data && <Consumers queues={queues.data} deliveries={deliveries.data} />}
      {deliveries.data
        ? (
          <Panel title='Endpoints that fail' isFlush>
            <FailingEndpoints failing={deliveries.data.failing} />
          </Panel>
          )
        : <Missing title='Endpoints that fail' error={deliveries.error} onRetry={deliveries.refetch} />}
    </>
  )
}

function Missing ({ title, error, onRetry }: { title: string, error: unknown, onRetry: () => unknown }) {
  return <Panel title={title}>{error ? <ErrorView error={error} onRetry={onRetry} /> : <Loading rows={2} />}</Panel>
}

function Jobs () {
  const [state, setState] = useState<State>('failed')
  return (
    <Panel
      title='Jobs' note='The newest 100' isFlush
      actions={
        <label>
          <span className='visually-hidden'>State</span>
          <select value={state} onChange={event => setState(event.target.value as State)}>
            {STATES.map(each => <option key={each} value={each}>{each}</option>)}
          </select>
        </label>
      }
    >
      <AllJobs state={state} />
    </Panel>
  )
}
