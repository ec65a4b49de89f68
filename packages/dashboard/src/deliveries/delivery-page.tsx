import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useLocation } from 'wouter'
import { RotateCw } from 'lucide-react'
import type { Delivery, DeliverySummary } from 'tidings'
import { hrefOfEvent } from '../jobs/href.ts'
import { useClient } from '../live/tidings.tsx'
import type { PageProps } from '../routes.tsx'
import { PageHead } from '../shell/page.tsx'
import { useShortcut } from '../shell/shortcuts.ts'
import { useCan } from '../session/use-can.ts'
import { Button } from '../ui/button.tsx'
import { Call } from '../ui/call.tsx'
import { CopyButton } from '../ui/copy-button.tsx'
import { Json } from '../ui/json/index.tsx'
import { Notice } from '../ui/notice.tsx'
import { Fact, Facts, Panel } from '../ui/panel.tsx'
import { ErrorView, Loading } from '../ui/states.tsx'
import { Time } from '../ui/time.tsx'
import { toast } from '../ui/toasts.tsx'
import { useAction } from '../ui/use-action.ts'
import { Attempts } from './attempts.tsx'
import { Countdown } from '../ui/countdown.tsx'
import styles from './delivery-page.module.css'
import { DeliveryBadge, faultWords, ORIGIN_WORDS, outcomeText } from './delivery-words.tsx'
import { untilNextAttempt } from './until-next-attempt.ts'

const TRAIL = [{ label: 'Deliveries', href: '/deliveries' }]

/** One event on its way to one webhook: what was sent, and what each attempt met. */
export default function DeliveryPage ({ params }: PageProps) {
  const id = Number(params.id)
  const client = useClient()
  const { data: delivery, error, refetch } = useQuery({
    queryKey: ['delivery', id],
    queryFn: ({ signal }) => client.deliveries.get(id, { signal }),
    refetchInterval: ({ state }) => untilNextAttempt(state.data ? [state.data] : []) ?? false
  })
  const title = `Delivery ${params.id}`
  if (!delivery) {
    return (
      <>
        <PageHead title={title} trail={TRAIL} />
        {error ? <ErrorView error={error} onRetry={refetch} /> : <Loading />}
      </>
    )
  }
  return (
    <>
      <PageHead title={title} trail={TRAIL} actions={<Actions delivery={delivery} />}>
        <DeliveryBadge status={delivery.status} />
        <span className={styles.url}>{delivery.url}</span>
      </PageHead>
      <div className={styles.parts}>
        <Outcome delivery={delivery} />
        <Obstacle delivery={delivery} />
        <Panel title='Delivery'><DeliveryFacts delivery={delivery} /></Panel>
        <Attempts attempts={delivery.attempts} isPending={delivery.status === 'pending'} />
        <Repetitions id={id} />
        <Panel title='Request body' note='the same in every attempt'>
          {delivery.payload === null
            ? <p className={styles.soft}>It is no longer kept.</p>
            : <Json value={delivery.payload} name={`delivery-${id}`} root='body' />}
        </Panel>
      </div>
    </>
  )
}

function Actions ({ delivery: { id, redeliveryBlockedBy } }: { delivery: Delivery }) {
  const client = useClient()
  const queries = useQueryClient()
  const [, navigate] = useLocation()
  const { isBusy, run } = useAction()
  const canRedeliver = useCan('webhooks:write') && !redeliveryBlockedBy

  const redeliver = () => run(async () => {
    const next = await client.deliveries.redeliver(id)
    toast(`Sent again as delivery ${next.id}`, {
      action: { label: 'Show', run: () => navigate(`/deliveries/${next.id}`) }
    })
    await queries.invalidateQueries({ queryKey: ['repetitions', id] })
  })
  const onRedeliver = () => { redeliver().catch(() => {}) }
  useShortcut('r', 'Redeliver', onRedeliver, canRedeliver && !isBusy)
  return (
    <>
      <Call
        path={`/deliveries/${id}`} sdk={`const delivery = await client.deliveries.get(${id})`}
        more={[{
          name: 'Send it once more',
          method: 'POST',
          path: `/deliveries/${id}/redeliver`,
          sdk: `await client.deliveries.redeliver(${id})`
        }]}
      />
      {canRedeliver && (
        <Button kind='primary' icon={<RotateCw size={15} aria-hidden />} disabled={isBusy} onClick={onRedeliver}>
          Redeliver
        </Button>
      )}
    </>
  )
}

/** Why it stands where it does, where that is not plain. */
function Outcome ({ delivery: { status, reason, errorClass, statusCode, nextAttemptAt, attemptCount } }: {
  delivery: Delivery
}) {
  const fault = faultWords(errorClass)
  const met = fault && `${fault}${statusCode === null ? '' : ` (${statusCode})`}.`
  switch (status) {
    case 'delivered': return null
    case 'pending':
      return attemptCount === 0 && nextAttemptAt
        ? null
        : (
          <Notice
            tone='busy' title={nextAttemptAt
              ? <>The next attempt is <Countdown until={nextAttemptAt} passed='due now' /></>
              : 'It waits until its webhook is active again'}
          >
            {met}
          </Notice>
          )
    case 'failed':
      return (
        <Notice tone='bad' title={`All ${attemptCount} attempts failed`}>
          {met} A completion or failure is due once more by itself when the endpoint works again within a day.
        </Notice>
      )
    case 'superseded':
      return (
        <Notice tone='idle' title='A newer event of the job took its place'>
          Progress that waits is replaced by newer progress of its job where an endpoint is slow or fails.
        </Notice>
      )
    case 'closed': return <Notice tone='warn' title={reason ?? 'It was closed'}>Nothing more is sent.</Notice>
    default: return status satisfies never
  }
}

/** Why it is not offered to send it again, where that is not plain from its status. */
function Obstacle ({ delivery: { redeliveryBlockedBy: obstacle, webhookId } }: { delivery: Delivery }) {
  switch (obstacle) {
    case 'webhook-deleted': return (
      <Notice tone='idle' title='Its webhook was deleted: it cannot be sent again'>
        A new webhook receives the events after its creation. This delivery stays in the log for as long as it is kept.
      </Notice>
    )
    case 'webhook-disabled': return (
      <Notice
        tone='warn' title='Its webhook is disabled: make it active, then this can be sent again'
        actions={<Link href={`/webhooks/${webhookId}`}>Show the webhook</Link>}
      />
    )
    case 'payload-gone':
      return <Notice tone='idle' title='Its request body is no longer kept: it cannot be sent again' />
    default: return null // nothing, or an attempt is due
  }
}

function DeliveryFacts ({ delivery }: { delivery: Delivery }) {
  const {
    webhookId, eventId, eventType, jobId, queue, name, origin, originId, createdAt, finishedAt, redeliveryBlockedBy
  } = delivery
  return (
    <Facts>
      <Fact name='Event'>{eventType}</Fact>
      <Fact name='Job'>
        {jobId === null
          ? '–'
          : (
            <Link href={hrefOfEvent({ jobId, queue, eventId })}>{name ?? jobId}</Link>
            )}
      </Fact>
      <Fact name='Queue'>{queue ?? '–'}</Fact>
      <Fact name='Webhook'>
        {redeliveryBlockedBy === 'webhook-deleted'
          ? `${webhookId}, deleted`
          : <Link href={`/webhooks/${webhookId}`}>{webhookId}</Link>}
      </Fact>
      <Fact name='Origin'>
        {ORIGIN_WORDS[origin]}
        {originId !== null && origin === 'redeliver' && (
          <> of <Link href={`/deliveries/${originId}`}>{originId}</Link></>
        )}
        {originId !== null && origin === 'replay' && (
          <> <Link href={`/webhooks/${webhookId}/replays`}>{originId}</Link></>
        )}
      </Fact>
      <Fact name='Created'><Time at={createdAt} as='exact' /></Fact>
      <Fact name='Ended'><Time at={finishedAt} as='exact' /></Fact>
      <Fact name='webhook-id'>
        <span className={styles.id}>
          <code>{eventId}</code><CopyButton text={eventId} name='Copy the webhook-id' />
        </span>
      </Fact>
    </Facts>
  )
}

/** Redeliveries of it. */
function Repetitions ({ id }: { id: number }) {
  const client = useClient()
  const { data } = useQuery({
    queryKey: ['repetitions', id],
    queryFn: async ({ signal }) => {
      const page = await client.deliveries.list({ originId: id, origin: 'redeliver', limit: 20, signal }).page()
      return page.deliveries
    },
    refetchInterval: ({ state }) => untilNextAttempt(state.data ?? []) ?? false
  })
  if (!data || data.length === 0) return null
  return (
    <Panel title='Sent again' note={data.length === 20 ? 'the newest 20' : undefined} isFlush>
      <ul className={styles.repetitions}>{data.map(each => <Repetition key={each.id} delivery={each} />)}</ul>
    </Panel>
  )
}

function Repetition ({ delivery }: { delivery: DeliverySummary }) {
  const { id, status, createdAt } = delivery
  return (
    <li>
      <Link href={`/deliveries/${id}`}>Delivery {id}</Link>
      <DeliveryBadge status={status} />
      <span className={styles.response}>{outcomeText(delivery)}</span>
      <Time at={createdAt} />
    </li>
  )
}
