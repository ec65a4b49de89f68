import { useQuery, useQueryClient } from '@tanstack/react-query'
import type { JobCounts, JobState } from 'tidings'
import { classNames } from '../lib/class-names.ts'
import { formatCount } from '../lib/format.ts'
import { useThrottled } from '../lib/use-throttled.ts'
import { useClient, useLiveEvents, usePolling } from '../live/tidings.tsx'
import { STATES } from './job-state.tsx'
import styles from './state-tabs.module.css'

const KEY = ['jobs', 'counts']
const PACE_MS = 1000

/** How many jobs there are in each state, of all; choosing one restricts the list to it, or to several with Ctrl. */
export function StateTabs ({ chosen, onChange }: { chosen: JobState[], onChange: (states: JobState[]) => void }) {
  const counts = useJobCounts()
  const sum = counts && Object.values(counts).reduce((all, count) => all + count, 0)
  const toggle = (state: JobState, isMore: boolean) => {
    const others = chosen.filter(each => each !== state)
    if (isMore) onChange(chosen.includes(state) ? others : [...chosen, state])
    else onChange(chosen.length === 1 && chosen[0] === state ? [] : [state])
  }
  return (
    <div className={styles.tabs} role='group' aria-label='State'>
      <Tab label='all' count={sum} isChosen={chosen.length === 0} onClick={() => onChange([])} />
      {STATES.map(state => (
        <Tab
          key={state} label={state} count={counts?.[state]} isChosen={chosen.includes(state)}
          onClick={event => toggle(state, event.ctrlKey || event.metaKey || event.shiftKey)}
        />
      ))}
    </div>
  )
}

function Tab ({ label, count, isChosen, onClick }: {
  label: string
  count: number | undefined
  isChosen: boolean
  onClick: (event: { ctrlKey: boolean, metaKey: boolean, shiftKey: boolean }) => void
}) {
  return (
    <button
      type='button' aria-pressed={isChosen} onClick={onClick}
      className={classNames(styles.tab, label === 'failed' && count !== undefined && count > 0 && styles.failed)}
    >
      <span className={styles.label}>{label}</span>
      <span className={styles.count}>{count === undefined ? '–' : formatCount(count)}</span>
    </button>
  )
}

function useJobCounts (): JobCounts | undefined {
  const client = useClient()
  const queries = useQueryClient()
  const { data } = useQuery({
    queryKey: KEY, queryFn: ({ signal }) => client.jobs.counts({ signal }), refetchInterval: usePolling()
  })
  const refresh = useThrottled(() => { queries.invalidateQueries({ queryKey: KEY }).catch(() => {}) }, PACE_MS)
  useLiveEvents(({ type }) => { if (type !== 'progress') refresh() })
  return data
}
