import { useState } from 'react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Ban, CopyPlus, RotateCw } from 'lucide-react'
import type { Job } from 'tidings'
import { useClient } from '../live/tidings.tsx'
import { useCan } from '../session/use-can.ts'
import { useShortcut } from '../shell/shortcuts.ts'
import { Button } from '../ui/button.tsx'
import { Call } from '../ui/call.tsx'
import { Confirm } from '../ui/dialog.tsx'
import { toast, toastError } from '../ui/toasts.tsx'
import { Resubmit } from './resubmit.tsx'

function callsOf ({ id, queue, state }: Job) {
  const name = JSON.stringify(id)
  const pathOf = (part = '') => `/jobs/${encodeURIComponent(id)}${part}?queue=${encodeURIComponent(queue)}`
  const act = (title: string, method: 'retry' | 'cancel' | 'resubmit') => ({
    name: title, method: 'POST' as const, path: pathOf(`/${method}`), sdk: `await client.jobs.${method}(${name})`
  })
  const isOpen = state !== 'completed' && state !== 'failed'
  return {
    path: pathOf(),
    sdk: `for await (const job of client.jobs.watch(${name})) console.log(job)`,
    more: [
      { name: 'Timeline', path: pathOf('/events'), sdk: `console.log(await client.jobs.timeline(${name}))` },
      {
        name: 'Who was notified',
        path: pathOf('/deliveries'),
        sdk: `console.log(await client.jobs.deliveries(${name}))`
      },
      ...(isOpen ? [act('Cancel', 'cancel')] : []),
      ...(state === 'failed' ? [act('Retry', 'retry')] : []),
      act('Submit it once more', 'resubmit')
    ]
  }
}

/** What can be done with a job as it stands. */
export function JobActions ({ job, jobKey }: { job: Job, jobKey: unknown[] }) {
  const client = useClient()
  const queries = useQueryClient()
  const [asks, setAsks] = useState<'cancel' | 'resubmit'>()
  const mayWrite = useCan('jobs:write')
  const isOpen = job.state !== 'completed' && job.state !== 'failed'
  const { id, queue, state } = job
  const after = { onError: toastError, onSettled: () => queries.invalidateQueries({ queryKey: jobKey }) }
  const retry = useMutation({
    ...after,
    mutationFn: () => client.jobs.retry(id, { queue }),
    onSuccess: () => toast('It runs once more')
  })
  const cancel = useMutation({
    ...after,
    mutationFn: () => client.jobs.cancel(id, { queue }),
    onSuccess: () => {
      setAsks(undefined)
      toast(state === 'active' ? 'The worker is asked to stop' : 'It is cancelled')
    }
  })
  useShortcut('r', 'Retry the job', () => retry.mutate(), mayWrite && state === 'failed')
  useShortcut('c', 'Cancel the job', () => setAsks('cancel'), mayWrite && isOpen)
  return (
    <>
      {mayWrite && state === 'failed' && (
        <Button
          kind='primary' icon={<RotateCw size={15} aria-hidden />} disabled={retry.isPending}
          onClick={() => retry.mutate()}
        >
          Retry
        </Button>
      )}
      {mayWrite && isOpen && (
        <Button kind='danger' icon={<Ban size={15} aria-hidden />} onClick={() => setAsks('cancel')}>Cancel</Button>
      )}
      {mayWrite && (
        <Button icon={<CopyPlus size={15} aria-hidden />} onClick={() => setAsks('resubmit')}>Resubmit</Button>
      )}
      <Call {...callsOf(job)} />
      <Confirm
        isOpen={asks === 'cancel'} onClose={() => setAsks(undefined)} onConfirm={() => cancel.mutate()}
        title={`Cancel ${job.name}?`} confirm='Cancel the job' isDangerous isBusy={cancel.isPending}
      >
        {state === 'active'
          ? 'Its worker is asked to stop. One that ignores this may still complete it.'
          : 'It is removed from its queue and ends as failed.'}
      </Confirm>
      {asks === 'resubmit' && <Resubmit job={job} jobKey={jobKey} onClose={() => setAsks(undefined)} />}
    </>
  )
}
