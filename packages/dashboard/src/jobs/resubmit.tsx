import { useId, useState } from 'react'
import { useMutation } from '@tanstack/react-query'
import { useLocation } from 'wouter'
import type { Job } from 'tidings'
import { parseExact } from '../lib/exact-json.ts'
import { useClient } from '../live/tidings.tsx'
import { Button } from '../ui/button.tsx'
import { Dialog, DialogActions } from '../ui/dialog.tsx'
import { jsonText } from '../ui/json/lines.ts'
import { describeError, Loading } from '../ui/states.tsx'
import { toast, toastError } from '../ui/toasts.tsx'
import { hrefOfJob } from './href.ts'
import { useJobData } from './job-data.tsx'
import styles from './resubmit.module.css'

interface ResubmitProps { job: Job, jobKey: unknown[], onClose: () => void }

/** Submits a new job like this one, with its data or with what one makes of it. */
export function Resubmit ({ job, jobKey, onClose }: ResubmitProps) {
  const { data: found, isPending } = useJobData(job, jobKey)
  return (
    <Dialog
      isOpen onClose={onClose} title={`Submit ${job.name} once more`} isWide
      description='A new job with an id of its own, in the same queue. This one stays as it is.'
    >
      {isPending ? <Loading rows={4} /> : <Form job={job} data={found?.data} onClose={onClose} />}
    </Dialog>
  )
}

function Form ({ job, data, onClose }: { job: Job, data: unknown, onClose: () => void }) {
  const client = useClient()
  const [, navigate] = useLocation()
  const id = useId()
  const original = data === undefined ? '' : jsonText(data)
  const [text, setText] = useState(original)
  const edited = text === original ? undefined : readData(text)
  const submit = useMutation({
    mutationFn: () => client.jobs.resubmit(job.id, { queue: job.queue, ...(edited?.data && { data: edited.data }) }),
    onSuccess: ({ jobId }) => {
      onClose()
      toast('Submitted')
      navigate(hrefOfJob({ id: jobId, queue: job.queue }))
    },
    onError: error => { if (describeError(error).faults.length === 0) toastError(error) }
  })
  const refused = submit.error && describeError(submit.error)
  const fault = edited?.fault ?? refused?.faults.map(({ path, message }) => `${path} ${message}`).join('. ')
  return (
    <form className={styles.form} onSubmit={event => { event.preventDefault(); submit.mutate() }}>
      <label htmlFor={id}>Data</label>
      <textarea
        id={id} rows={14} spellCheck={false} value={text} aria-invalid={Boolean(fault)}
        aria-describedby={`${id}-note`} onChange={event => { setText(event.target.value); submit.reset() }}
      />
      <p id={`${id}-note`} role={fault ? 'alert' : undefined} className={fault ? styles.fault : styles.note}>
        {fault || (data === undefined
          ? 'Its data cannot be read here. Left empty, the same data is used.'
          : edited ? 'Changed.' : 'As it was.')}
      </p>
      <DialogActions>
        <Button onClick={onClose}>Back</Button>
        <Button type='submit' kind='primary' disabled={edited?.fault !== undefined || submit.isPending}>Submit</Button>
      </DialogActions>
    </form>
  )
}

function readData (text: string): { data?: Record<string, unknown>, fault?: string } {
  try {
    const data = parseExact(text)
    const isObject = typeof data === 'object' && data !== null && !Array.isArray(data)
    return isObject ? { data: data as Record<string, unknown> } : { fault: 'Data is an object: { … }' }
  } catch (err) {
    return { fault: (err as Error).message }
  }
}
