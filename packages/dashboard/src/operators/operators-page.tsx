import { useState } from 'react'
import { PageHead } from '../shell/page.tsx'
import { Panel } from '../ui/panel.tsx'
import { AllJobs } from './all-jobs.tsx'
import { FailingEndpoints } from './failing-endpoints.tsx'
import { OpenUser } from './open-user.tsx'
import styles from './operators-page.module.css'

const STATES = ['failed', 'active', 'waiting', 'delayed', 'completed'] as const
type State = typeof STATES[number]

/** For operators: the jobs of all users, the endpoints that fail, and the pages of any user. */
export default function OperatorsPage () {
  const [state, setState] = useState<State>('failed')
  return (
    <>
      <PageHead title='All users' actions={<OpenUser />}>
        What other users have is shown to operators only. Each request is in the audit log.
      </PageHead>
      <div className={styles.panels}>
        <Panel title='Endpoints that fail' note='Of the newest 100 deliveries that failed for good' isFlush>
          <FailingEndpoints />
        </Panel>
        <Panel
          title='Jobs' note='The newest 100' isFlush
          actions={
            <label className={styles.field}>
              <span className='visually-hidden'>State</span>
              <select value={state} onChange={event => setState(event.target.value as State)}>
                {STATES.map(each => <option key={each} value={each}>{each}</option>)}
              </select>
            </label>
          }
        >
          <AllJobs state={state} />
        </Panel>
      </div>
    </>
  )
}
