import { useState } from 'react'
import { useQuery } from '@tanstack/react-query'
import { Link } from 'wouter'
import { Send } from 'lucide-react'
import type { Delivery } from 'tidings'
import { faultWords, outcomeText } from '../deliveries/delivery-words.tsx'
import { formatDuration } from '../lib/format.ts'
import { useClient } from '../live/tidings.tsx'
import { announce } from '../shell/announcer.tsx'
import { Button } from '../ui/button.tsx'
import { Notice } from '../ui/notice.tsx'
import { useAction } from '../ui/use-action.ts'
import styles from './test-panel.module.css'

const FOLLOW_MS = 700

/** Sends a sample, and shows what its endpoint did with the first attempt. */
export function TestPanel ({ webhookId, onDelivered }: { webhookId: number, onDelivered?: () => void }) {
  const client = useClient()
  const [deliveryId, setDeliveryId] = useState<number>()
  const { isBusy, run } = useAction()
  const { data: delivery } = useQuery({
    queryKey: ['test', deliveryId],
    queryFn: async ({ signal }) => {
      const found = await client.deliveries.get(deliveryId as number, { signal })
      const [first] = found.attempts
      if (first && first.errorClass === null) onDelivered?.()
      if (first) announce(first.errorClass ? `The test failed: ${faultWords(first.errorClass)}` : 'The test was delivered')
      return found
    },
    enabled: deliveryId !== undefined,
    // Its retries are of no interest: one mends the endpoint and sends another test.
    refetchInterval: ({ state }) => state.data && state.data.attempts.length > 0 ? false : FOLLOW_MS
  })
  const send = () => run(async () => setDeliveryId((await client.webhooks.test(webhookId)).id))
  const isDelivered = delivery?.attempts[0]?.errorClass === null
  const isSending = isBusy || (deliveryId !== undefined && !delivery?.attempts.length)
  return (
    <div className={styles.test}>
      <div>
        <Button
          kind={isDelivered ? 'plain' : 'primary'} icon={<Send size={15} aria-hidden />}
          disabled={isSending} onClick={() => { send().catch(() => {}) }}
        >
          {isSending ? 'Sending …' : delivery ? 'Send another test' : 'Send a test'}
        </Button>
      </div>
      {delivery && <TestResult delivery={delivery} />}
    </div>
  )
}

function TestResult ({ delivery: { id, attempts: [first] } }: { delivery: Delivery }) {
  if (!first) return null
  const { errorClass, message, responseBody, durations } = first
  const took = formatDuration(durations.totalMs)
  return (
    <Notice
      tone={errorClass ? 'bad' : 'ok'}
      title={errorClass
        ? `${faultWords(errorClass)}: ${outcomeText(first)}`
        : `Delivered: ${outcomeText(first)} in ${took}`}
      actions={<Link href={`/deliveries/${id}`}>Show the delivery</Link>}
    >
      {message && <p>{message}</p>}
      {responseBody && (
        <pre className={styles.body} tabIndex={0} role='region' aria-label='Response'>{responseBody}</pre>
      )}
    </Notice>
  )
}
