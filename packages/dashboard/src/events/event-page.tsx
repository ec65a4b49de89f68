import { useState, type FormEvent } from 'react'
import { useQuery } from '@tanstack/react-query'
import { Link, Redirect, useLocation } from 'wouter'
import { Search, SearchX } from 'lucide-react'
import { hrefOfEvent } from '../jobs/href.ts'
import { looksLikeEventId } from '../lib/event-id.ts'
import { useClient } from '../live/tidings.tsx'
import type { PageProps } from '../routes.tsx'
import { useCan } from '../session/use-can.ts'
import { PageHead } from '../shell/page.tsx'
import { Button } from '../ui/button.tsx'
import { Call } from '../ui/call.tsx'
import { Panel } from '../ui/panel.tsx'
import { Empty, ErrorView, Loading } from '../ui/states.tsx'
import { useVisibleRoutes } from '../visible-routes.ts'
import styles from './event-page.module.css'
import { findEvent, type FoundEvent } from './find-event.ts'

const EXAMPLE = '1640995300000-0'

/** Leads from the id of an event, as a receiver's webhook-id or a log has it, to its job. */
export default function EventPage ({ params: { id = '' } }: PageProps) {
  const client = useClient()
  const mayReadJobs = useCan('jobs:read')
  const mayReadDeliveries = useCan('webhooks:read')
  const paths = useVisibleRoutes().map(({ path }) => path)
  const { data: found, error, refetch } = useQuery({
    queryKey: ['event', id],
    queryFn: async ({ signal }) =>
      await findEvent(client, id, { signal, mayReadJobs, mayReadDeliveries }) ?? null,
    enabled: looksLikeEventId(id),
    gcTime: 0
  })
  const shownId = looksLikeEventId(id) ? id : EXAMPLE
  if (found) return <Redirect to={placeOf(id, found, paths)} replace />
  return (
    <>
      <PageHead
        title='Find an event'
        actions={(
          <Call
            path={`/deliveries?eventId=${shownId}`}
            sdk={`console.log(await client.deliveries.list({ eventId: '${shownId}' }).page())`}
          />
        )}
      >
        The id of an event is the same in every channel: the <code>webhook-id</code> of a request, the{' '}
        <code>eventId</code> of a message.
      </PageHead>
      <Panel isFlush>
        <Form key={id} initial={id} />
        {error
          ? <ErrorView error={error} onRetry={refetch} />
          : id === ''
            ? null
            : !looksLikeEventId(id)
                ? (
                  <Empty title='This is not the id of an event' icon={<SearchX size={22} />}>
                    One looks like <code>{EXAMPLE}</code>. A job is found by its own id on the page of jobs.
                  </Empty>
                  )
                : found === undefined
                  ? <Loading rows={2} label='Looking for the event' />
                  : <Missing mayReadJobs={mayReadJobs} mayReadDeliveries={mayReadDeliveries} />}
      </Panel>
    </>
  )
}

/** The job with the event marked; its deliveries where no job is known, or none may be seen. */
function placeOf (eventId: string, { jobId, queue }: FoundEvent, paths: string[]): string {
  if (jobId === null || !paths.includes('/jobs/:id')) return `/deliveries?eventId=${eventId}`
  return hrefOfEvent({ jobId, queue, eventId })
}

function Form ({ initial }: { initial: string }) {
  const [, navigate] = useLocation()
  const [text, setText] = useState(initial)
  function submit (event: FormEvent) {
    event.preventDefault()
    const id = text.trim()
    if (id !== '') navigate(`/e/${encodeURIComponent(id)}`)
  }
  return (
    <form className={styles.form} role='search' aria-label='Events' onSubmit={submit}>
      <label htmlFor='event-id' className='visually-hidden'>Id of an event</label>
      <input
        id='event-id' type='search' placeholder={EXAMPLE} spellCheck={false} autoComplete='off' value={text}
        onChange={event => setText(event.target.value)}
      />
      <Button type='submit' icon={<Search size={15} aria-hidden />}>Find</Button>
    </form>
  )
}

function Missing ({ mayReadJobs, mayReadDeliveries }: { mayReadJobs: boolean, mayReadDeliveries: boolean }) {
  return (
    <Empty title='No event with this id was found' icon={<SearchX size={22} />}>
      <p>
        The end of a job is found while it is its last event, what went to a webhook as long as deliveries are kept,
        and anything else in the stream of events, which goes back a day if nobody has set it otherwise.
      </p>
      {!mayReadJobs && <p>Your token lacks the scope <code>jobs:read</code>: only deliveries were looked at.</p>}
      {!mayReadDeliveries && <p>Your token lacks the scope <code>webhooks:read</code>: no delivery was looked at.</p>}
      {mayReadJobs && <p><Link href='/jobs'>All jobs</Link></p>}
    </Empty>
  )
}
