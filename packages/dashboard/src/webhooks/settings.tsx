import { useState } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import { useLocation } from 'wouter'
import { Trash2 } from 'lucide-react'
import type { Webhook } from 'tidings'
import { useClient } from '../live/tidings.tsx'
import { useCan } from '../session/use-can.ts'
import { Button } from '../ui/button.tsx'
import { Call } from '../ui/call.tsx'
import { Confirm } from '../ui/dialog.tsx'
import { Fact, Facts, Panel } from '../ui/panel.tsx'
import { Time } from '../ui/time.tsx'
import { toast, toastError } from '../ui/toasts.tsx'
import { inputOf, valuesOf } from './form-values.ts'
import { useChanged } from './queries.ts'
import { SecretPanel } from './secret.tsx'
import styles from './settings.module.css'
import { WebhookForm } from './webhook-form.tsx'
import { filterText, typesText } from './webhook-words.ts'

export function Settings ({ webhook }: { webhook: Webhook }) {
  const client = useClient()
  const changed = useChanged()
  const canWrite = useCan('webhooks:write')
  if (!canWrite) return <ReadOnly webhook={webhook} />
  const { id, updatedAt } = webhook
  const input = inputOf(valuesOf(webhook))
  return (
    <div className={styles.parts}>
      <Panel
        title='Settings'
        actions={(
          <Call
            size='small' method='PUT' path={`/webhooks/${id}`} body={input}
            sdk={`await client.webhooks.update(${id}, ${JSON.stringify(input)})`}
          />
        )}
      >
        <WebhookForm
          key={id} initial={valuesOf(webhook)} submit='Save changes'
          onSubmit={async input => {
            changed(await client.webhooks.update(id, input))
            toast('Saved: it applies from the next attempt')
          }}
          actions={<span className={styles.changed}>Changed <Time at={updatedAt} /></span>}
        />
      </Panel>
      <SecretPanel webhook={webhook} />
      <Delete webhook={webhook} />
    </div>
  )
}

function ReadOnly ({ webhook }: { webhook: Webhook }) {
  const { url, description, headers, progressMode, createdAt, updatedAt } = webhook
  return (
    <Panel title='Settings' note='your token only allows to read them'>
      <Facts>
        <Fact name='Address'>{url}</Fact>
        <Fact name='Description'>{description ?? '–'}</Fact>
        <Fact name='Events'>{typesText(webhook)}</Fact>
        <Fact name='Jobs'>{filterText(webhook)}</Fact>
        <Fact name='Progress'>{progressMode}</Fact>
        <Fact name='Headers'>{Object.keys(headers).join(', ') || '–'}</Fact>
        <Fact name='Created'><Time at={createdAt} as='exact' /></Fact>
        <Fact name='Changed'><Time at={updatedAt} as='exact' /></Fact>
      </Facts>
    </Panel>
  )
}

function Delete ({ webhook: { id, url } }: { webhook: Webhook }) {
  const client = useClient()
  const queries = useQueryClient()
  const [, navigate] = useLocation()
  const [isAsking, setAsking] = useState(false)
  async function remove () {
    try {
      await client.webhooks.delete(id)
      await queries.invalidateQueries({ queryKey: ['webhooks'] })
      toast('The webhook was deleted')
      navigate('/webhooks')
    } catch (error) {
      toastError(error)
    }
  }
  return (
    <Panel title='Delete'>
      <div className={styles.delete}>
        <p>What is pending is closed. Its deliveries stay in the log for as long as they are kept.</p>
        <Button kind='danger' icon={<Trash2 size={15} aria-hidden />} onClick={() => setAsking(true)}>Delete…</Button>
      </div>
      <Confirm
        isOpen={isAsking} onClose={() => setAsking(false)} title='Delete this webhook?' confirm='Delete the webhook'
        isDangerous onConfirm={() => { remove().catch(() => {}) }}
      >
        <p><code>{url}</code> receives nothing from then on, and its secret is gone.</p>
      </Confirm>
    </Panel>
  )
}
