import { useEffect, useRef, useState } from 'react'
import { Search, X } from 'lucide-react'
import { useShortcut } from '../shell/shortcuts.ts'
import { Button } from '../ui/button.tsx'
import { SINCE, type JobFilters } from './filters.ts'
import styles from './filter-bar.module.css'

/** While one types, the list is not asked for each letter. */
const TYPING_MS = 300

interface FilterBarProps { filters: JobFilters, onChange: (change: Partial<JobFilters>) => void }

export function FilterBar ({ filters, onChange }: FilterBarProps) {
  const { since, sort, name, queue } = filters
  return (
    <div className={styles.bar} role='search' aria-label='Jobs'>
      <SearchField value={filters.q ?? ''} onChange={q => onChange({ q })} />
      <label className={styles.field}>
        <span className='visually-hidden'>Created or finished within</span>
        <select value={since ?? ''} onChange={event => onChange({ since: event.target.value })}>
          <option value=''>Any time</option>
          {Object.entries(SINCE).map(([key, { label }]) => <option key={key} value={key}>{label}</option>)}
        </select>
      </label>
      <label className={styles.field}>
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

function SearchField ({ value, onChange }: { value: string, onChange: (value: string) => void }) {
  const field = useRef<HTMLInputElement>(null)
  const [text, setText] = useState(value)
  const sent = useRef(value)
  useShortcut('/', 'Search', () => field.current?.focus())
  useEffect(() => {
    // The address has changed by itself, as by the way back.
    if (value !== sent.current) setText(sent.current = value)
  }, [value])
  useEffect(() => {
    if (text === sent.current) return
    const timer = setTimeout(() => {
      sent.current = text
      onChange(text)
    }, TYPING_MS)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <label className={styles.search}>
      <Search size={15} aria-hidden />
      <span className='visually-hidden'>Search by id, name or error</span>
      <input
        ref={field} type='search' placeholder='Id, name or error' value={text} spellCheck={false} autoComplete='off'
        onChange={event => setText(event.target.value)}
        onKeyDown={event => { if (event.key === 'Escape') field.current?.blur() }}
      />
      <kbd aria-hidden>/</kbd>
    </label>
  )
}

function Chip ({ label, value, onRemove }: { label: string, value: string, onRemove: () => void }) {
  return (
    <Button size='small' onClick={onRemove} aria-label={`${label} ${value}: remove this filter`}>
      {label}: {value}<X size={13} aria-hidden />
    </Button>
  )
}
