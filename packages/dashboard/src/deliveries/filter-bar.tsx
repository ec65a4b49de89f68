import { X } from 'lucide-react'
import { Button } from '../ui/button.tsx'
import { SearchField } from '../ui/search-field.tsx'
import { useWebhooks } from '../webhooks/queries.ts'
import { EVENT_TYPES, ORIGIN_WORDS, ORIGINS, STATUSES } from './delivery-words.tsx'
import styles from './filter-bar.module.css'
import { shortUrl } from './short-url.ts'
import { isFiltered, searched, SPANS, type DeliveryFilters, type Span } from './filters.ts'

interface FilterBarProps {
  filters: DeliveryFilters
  onChange: (filters: DeliveryFilters) => void
  /** Whether the list is of all webhooks, so that one can be chosen. */
  hasWebhooks: boolean
}

const SPAN_WORDS: Record<Span, string> = { '1h': 'Last hour', '24h': 'Last 24 hours', '7d': 'Last 7 days' }

/** Narrows a list of deliveries; the address of the page keeps it. */
export function FilterBar ({ filters, onChange, hasWebhooks }: FilterBarProps) {
  const toggle = (status: string) => {
    const { status: chosen } = filters
    onChange({
      ...filters, status: chosen.includes(status) ? chosen.filter(each => each !== status) : [...chosen, status]
    })
  }
  const { from: _from, to: _to, last: _last, ...timeless } = filters
  return (
    <div className={styles.bar} role='search' aria-label='Deliveries'>
      <SearchField
        label='Id of a job or an event' placeholder='Id of a job or an event'
        value={filters.jobId ?? filters.eventId ?? ''} onChange={text => onChange(searched(filters, text))}
      />
      <div className={styles.states} role='group' aria-label='Status'>
        {STATUSES.map(status => (
          <button
            key={status} type='button' className={styles.state} aria-pressed={filters.status.includes(status)}
            onClick={() => toggle(status)}
          >
            {status}
          </button>
        ))}
      </div>
      <div className={styles.selects}>
        <Choice
          label='Event' value={filters.eventType.join(',')} options={EVENT_TYPES.map(type => [type, type])}
          onChange={value => onChange({ ...filters, eventType: value.split(',').filter(Boolean) })}
        />
        <Choice
          label='Origin' value={filters.origin.join(',')} options={ORIGINS.map(each => [each, ORIGIN_WORDS[each]])}
          onChange={value => onChange({ ...filters, origin: value.split(',').filter(Boolean) })}
        />
        <Choice
          label='Time' value={filters.last ?? (filters.from || filters.to ? 'range' : '')}
          options={[
            ...Object.keys(SPANS).map((span): [string, string] => [span, SPAN_WORDS[span as Span]]),
            ...(filters.from || filters.to ? [['range', 'As in the link'] as [string, string]] : [])
          ]}
          onChange={value => {
            if (value !== 'range') onChange({ ...timeless, ...(value && { last: value as Span }) })
          }}
        />
        {hasWebhooks && <WebhookChoice filters={filters} onChange={onChange} />}
        {isFiltered(filters) && (
          <Button
            kind='quiet' icon={<X size={14} aria-hidden />}
            onClick={() => onChange({ status: [], eventType: [], origin: [] })}
          >
            Clear
          </Button>
        )}
      </div>
    </div>
  )
}

function WebhookChoice ({ filters, onChange }: Pick<FilterBarProps, 'filters' | 'onChange'>) {
  const { data: webhooks = [] } = useWebhooks()
  const { webhookId, ...rest } = filters
  const options = webhooks.map(({ id, url }): [string, string] => [String(id), `${id}  ${shortUrl(url)}`])
  if (webhookId && !webhooks.some(({ id }) => id === webhookId)) {
    options.push([String(webhookId), `${webhookId}  (deleted, or of a job)`])
  }
  return (
    <Choice
      label='Webhook' value={webhookId ? String(webhookId) : ''} options={options}
      onChange={value => onChange(value ? { ...rest, webhookId: Number(value) } : rest)}
    />
  )
}

function Choice ({ label, value, options, onChange }: {
  label: string
  value: string
  options: [value: string, words: string][]
  onChange: (value: string) => void
}) {
  // Several values at once come from a link.
  const isOther = value !== '' && !options.some(([each]) => each === value)
  return (
    <label className={styles.choice} data-set={value !== '' || undefined}>
      <span className='visually-hidden'>{label}</span>
      <select value={value} onChange={event => onChange(event.target.value)}>
        <option value=''>{`${label}: any`}</option>
        {options.map(([each, words]) => <option key={each} value={each}>{words}</option>)}
        {isOther && <option value={value}>{value.replaceAll(',', ', ')}</option>}
      </select>
    </label>
  )
}
