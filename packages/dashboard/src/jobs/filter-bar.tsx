import { X } from 'lucide-react'
import { Button } from '../ui/button.tsx'
import { SearchField } from '../ui/search-field.tsx'
import { SINCE, type JobFilters } from './filters.ts'
import styles from './filter-bar.module.css'

interface FilterBarProps { filters: JobFilters, onChange: (change: Partial<JobFilters>) => void }

export function FilterBar ({ filters, onChange }: FilterBarProps) {
  const { since, sort, name, queue } = filters
  return (
    <div className={styles.bar} role='search' aria-label='Jobs'>
      <SearchField
        label='Search by id, name or error' placeholder='Id, name or error' value={filters.q ?? ''}
        onChange={q => onChange({ q })}
      />
      <label>
        <span className='visually-hidden'>Created or finished within</span>
        <select value={since ?? ''} onChange={event => onChange({ since: event.target.value })}>
          <option value=''>Any time</option>
          {Object.entries(SINCE).map(([key, { label }]) => <option key={key} value={key}>{label}</option>)}
        </select>
      </label>
      <label>
        <span className='visually-hidden'>Order</span>
        <select
          value={sort ?? ''} onChange={event => onChange({ sort: event.target.value === '' ? undefined : 'finished' })}
        >
          <option value=''>Newest first</option>
          <option value='finished'>Last finished first</option>
        </select>
      </label>
      {name && <Chip label='Name' value={name} onRemove={() => onChange({ name: '' })} />}
      {queue && <Chip label='Queue' value={queue} onRemove={() => onChange({ queue: '' })} />}
    </div>
  )
}

function Chip ({ label, value, onRemove }: { label: string, value: string, onRemove: () => void }) {
  return (
    <Button size='small' onClick={onRemove} aria-label={`${label} ${value}: remove this filter`}>
      {label}: {value}<X size={13} aria-hidden />
    </Button>
  )
}
