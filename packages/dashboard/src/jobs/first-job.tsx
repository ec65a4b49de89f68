import { ListPlus } from 'lucide-react'
import { servicesUrl } from '../settings.ts'
import { CopyButton } from '../ui/copy-button.tsx'
import { Empty } from '../ui/states.tsx'
import styles from './first-job.module.css'

/** How to get something to look at. */
export function FirstJob () {
  const text = [
    `curl ${servicesUrl}/submit-job \\`,
    '  -H "authorization: Bearer $TIDINGS_TOKEN" -H \'content-type: application/json\' \\',
    '  -d \'{"name": "dataProcessing", "data": {"file": "zipcodes.csv"}}\''
  ].join('\n')
  return (
    <Empty title='No jobs yet' icon={<ListPlus size={22} />}>
      <p>Submit one, and it appears here as it happens:</p>
      <div className={styles.call}>
        <pre tabIndex={0} role='region' aria-label='A request that submits a job'>{text}</pre>
        <CopyButton text={text} label='Copy' />
      </div>
    </Empty>
  )
}
