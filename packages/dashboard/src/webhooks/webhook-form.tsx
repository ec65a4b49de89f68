import { useId, useRef, useState, type ReactNode, type SubmitEvent } from 'react'
import { Plus, Trash2 } from 'lucide-react'
import { Button, IconButton } from '../ui/button.tsx'
import { toastError } from '../ui/toasts.tsx'
import {
  faultsIn, faultsOf, inputOf, MASK, type EventType, type Field, type FormValues, type WebhookInput
} from './form-values.ts'
import styles from './webhook-form.module.css'

interface WebhookFormProps {
  initial: FormValues
  /** The words of its button. */
  submit: string
  onSubmit: (input: WebhookInput) => Promise<void>
  /** Beside the button. */
  actions?: ReactNode
}

const TYPES: [type: EventType, words: string][] = [
  ['completed', 'the result of a job'],
  ['failed', 'its error, once no attempts are left'],
  ['progress', 'each report of its worker']
]

/** Everything of a webhook that its owner decides. Faults stand at their fields, the first of which gets the focus. */
export function WebhookForm ({ initial, submit, onSubmit, actions }: WebhookFormProps) {
  const [values, setValues] = useState(initial)
  const [faults, setFaults] = useState<Partial<Record<Field, string>>>({})
  const [isBusy, setBusy] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  const set = <Name extends keyof FormValues>(name: Name, value: FormValues[Name]) => {
    setValues({ ...values, [name]: value })
    setFaults({ ...faults, [name]: undefined })
  }

  function show (found: Partial<Record<Field, string>>) {
    setFaults(found)
    requestAnimationFrame(() => {
      form.current?.querySelector<HTMLElement>('[aria-invalid=true], [data-fault] input')?.focus()
    })
  }

  async function send () {
    const found = faultsOf(values)
    if (Object.keys(found).length > 0) return show(found)
    setBusy(true)
    try {
      await onSubmit(inputOf(values))
    } catch (error) {
      const refused = faultsIn(error)
      if (refused) show(refused)
      else toastError(error)
    } finally {
      setBusy(false)
    }
  }
  function onSend (event: SubmitEvent) {
    event.preventDefault()
    send().catch(() => {})
  }

  return (
    <form ref={form} className={styles.form} onSubmit={onSend} noValidate>
      <TextField
        label='Address' help='Where events are posted to. Use https, so that nobody else reads them.'
        type='url' placeholder='https://example.com/webhooks' value={values.url} fault={faults.url}
        onChange={url => set('url', url)}
      />
      <TextField
        label='Description' isOptional value={values.description} fault={faults.description}
        onChange={description => set('description', description)}
      />
      <fieldset className={styles.set} data-fault={faults.eventTypes ? true : undefined}>
        <legend>Events</legend>
        {TYPES.map(([type, words]) => (
          <label key={type} className={styles.check}>
            <input
              type='checkbox' checked={values.eventTypes.includes(type)}
              onChange={() => set('eventTypes', toggled(values.eventTypes, type))}
            />
            <span><b>{type}</b> {words}</span>
          </label>
        ))}
        {faults.eventTypes && <p role='alert' className={styles.fault}>{faults.eventTypes}</p>}
      </fieldset>
      {values.eventTypes.includes('progress') && (
        <label className={styles.field}>
          <span className={styles.label}>Progress</span>
          <select
            value={values.progressMode}
            onChange={event => set('progressMode', event.target.value as FormValues['progressMode'])}
          >
            <option value='all'>each report, in order</option>
            <option value='latest'>only the newest of those that wait</option>
          </select>
        </label>
      )}
      <div className={styles.pair}>
        <AreaField
          label='Only jobs named' help='One a line; none means all.' value={values.names} fault={faults.names}
          onChange={names => set('names', names)}
        />
        <AreaField
          label='Only in the queues' help='One a line; none means all.' value={values.queues} fault={faults.queues}
          onChange={queues => set('queues', queues)}
        />
      </div>
      <HeaderFields headers={values.headers} fault={faults.headers} onChange={headers => set('headers', headers)} />
      <div className={styles.actions}>
        <Button type='submit' kind='primary' disabled={isBusy}>{submit}</Button>
        {actions}
      </div>
    </form>
  )
}

const toggled = (types: EventType[], type: EventType): EventType[] =>
  types.includes(type) ? types.filter(each => each !== type) : [...types, type]

interface FieldProps {
  label: string
  help?: string
  value: string
  fault: string | undefined
  onChange: (value: string) => void
}

function TextField (
  { isOptional = false, type = 'text', placeholder, onChange, ...shown }:
    FieldProps & { isOptional?: boolean, type?: string, placeholder?: string }
) {
  const ids = useFieldIds()
  return (
    <div className={styles.field}>
      <Words {...shown} ids={ids} isOptional={isOptional} />
      <input
        id={ids.field} type={type} value={shown.value} placeholder={placeholder} autoComplete='off' spellCheck={false}
        {...describedBy(ids, shown)} onChange={event => onChange(event.target.value)}
      />
      <Fault {...shown} ids={ids} />
    </div>
  )
}

function AreaField ({ onChange, ...shown }: FieldProps) {
  const ids = useFieldIds()
  return (
    <div className={styles.field}>
      <Words {...shown} ids={ids} isOptional />
      <textarea
        id={ids.field} rows={2} value={shown.value} spellCheck={false} {...describedBy(ids, shown)}
        onChange={event => onChange(event.target.value)}
      />
      <Fault {...shown} ids={ids} />
    </div>
  )
}

interface Ids { field: string, help: string, fault: string }

function useFieldIds (): Ids {
  const id = useId()
  return { field: id, help: `${id}-help`, fault: `${id}-fault` }
}

const describedBy = (ids: Ids, { help, fault }: Pick<FieldProps, 'help' | 'fault'>) => ({
  'aria-invalid': fault !== undefined,
  'aria-describedby': [help && ids.help, fault && ids.fault].filter(Boolean).join(' ') || undefined
})

function Words (
  { label, help, ids, isOptional }: Pick<FieldProps, 'label' | 'help'> & { ids: Ids, isOptional: boolean }
) {
  return (
    <>
      <label htmlFor={ids.field} className={styles.label}>
        {label}{isOptional && <span className={styles.optional}> (optional)</span>}
      </label>
      {help && <p id={ids.help} className={styles.help}>{help}</p>}
    </>
  )
}

function Fault ({ fault, ids }: Pick<FieldProps, 'fault'> & { ids: Ids }) {
  return fault ? <p id={ids.fault} role='alert' className={styles.fault}>{fault}</p> : null
}

function HeaderFields ({ headers, fault, onChange }: {
  headers: FormValues['headers']
  fault: string | undefined
  onChange: (headers: FormValues['headers']) => void
}) {
  const change = (index: number, part: Partial<FormValues['headers'][number]>) =>
    onChange(headers.map((header, at) => at === index ? { ...header, ...part } : header))
  return (
    <fieldset className={styles.set} data-fault={fault ? true : undefined}>
      <legend>Headers <span className={styles.optional}>(optional)</span></legend>
      <p className={styles.help}>
        Sent with each request, such as a key of your gateway. Their values are stored encrypted.
      </p>
      {headers.map(({ name, value }, index) => (
        <div key={index} className={styles.header}>
          <input
            type='text' aria-label={`Name of header ${index + 1}`} placeholder='x-api-key' value={name}
            autoComplete='off' spellCheck={false} onChange={event => change(index, { name: event.target.value })}
          />
          <input
            type='text' aria-label={`Value of header ${index + 1}`} value={value} autoComplete='off' spellCheck={false}
            onFocus={event => { if (value === MASK) event.target.select() }}
            onChange={event => change(index, { value: event.target.value })}
          />
          <IconButton
            label={`Remove header ${index + 1}`} onClick={() => onChange(headers.filter((_, at) => at !== index))}
          >
            <Trash2 size={15} aria-hidden />
          </IconButton>
        </div>
      ))}
      {fault && <p role='alert' className={styles.fault}>{fault}</p>}
      <div>
        <Button
          size='small' icon={<Plus size={14} aria-hidden />}
          onClick={() => onChange([...headers, { name: '', value: '' }])}
        >
          Add a header
        </Button>
      </div>
    </fieldset>
  )
}
