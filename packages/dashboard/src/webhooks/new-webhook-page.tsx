import { useState } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import { useLocation } from 'wouter'
import type { CreatedWebhook } from 'tidings'
import { useClient } from '../live/tidings.tsx'
import { PageHead } from '../shell/page.tsx'
import { Button } from '../ui/button.tsx'
import { Call } from '../ui/call.tsx'
import { Panel } from '../ui/panel.tsx'
import { toast, toastError } from '../ui/toasts.tsx'
import { DRAFT_FILTER } from './draft.ts'
import { NEW_VALUES, valuesOf, type FormValues, type WebhookInput } from './form-values.ts'
import styles from './new-webhook-page.module.css'
import { SecretText } from './secret.tsx'
import { TestPanel } from './test-panel.tsx'
import { WebhookForm } from './webhook-form.tsx'

const TRAIL = [{ label: 'Webhooks', href: '/webhooks' }]

const EXAMPLE = { url: 'https://example.com/webhooks', eventTypes: ['completed', 'failed'] }

interface Draft { webhook: CreatedWebhook, input: WebhookInput, values: FormValues }

/**
 * A webhook in two steps: what it is, then its secret and a test. A receiver can only verify a test once it has the
 * secret, so the webhook is there in the second step, but as a draft, which receives no events.
 */
export default function NewWebhookPage () {
  const client = useClient()
  const queries = useQueryClient()
  const [draft, setDraft] = useState<Draft>()
  const [isEditing, setEditing] = useState(true)

  async function keep (input: WebhookInput) {
    const body = { ...input, filter: DRAFT_FILTER }
    const { id, secret } = draft?.webhook ?? {}
    const webhook = id !== undefined && secret !== undefined
      ? { ...await client.webhooks.update(id, body), secret }
      : await client.webhooks.create(body)
    // As it was typed, but for its filter, which the draft takes the place of.
    const { names, queues } = input.filter ?? {}
    const values = { ...valuesOf(webhook), names: (names ?? []).join('\n'), queues: (queues ?? []).join('\n') }
    setDraft({ webhook, input, values })
    setEditing(false)
    await queries.invalidateQueries({ queryKey: ['webhooks'] })
  }

  return (
    <>
      <PageHead
        title='New webhook' trail={TRAIL}
        actions={(
          <Call
            method='POST' path='/webhooks' body={draft?.input ?? EXAMPLE}
            sdk={`const { id, secret } = await client.webhooks.create(${JSON.stringify(draft?.input ?? EXAMPLE)})`}
          />
        )}
      >
        {isEditing ? 'Step 1 of 2: what it receives, and where' : 'Step 2 of 2: its secret, and a test'}
      </PageHead>
      {isEditing || !draft
        ? (
          <Panel>
            <WebhookForm
              key={draft ? 'again' : 'first'} initial={draft?.values ?? NEW_VALUES} submit='Continue to the test'
              onSubmit={keep}
            />
          </Panel>
          )
        : <TestStep draft={draft} onBack={() => setEditing(true)} />}
    </>
  )
}

function TestStep ({ draft: { webhook: { id, url, secret }, input }, onBack }: { draft: Draft, onBack: () => void }) {
  const client = useClient()
  const queries = useQueryClient()
  const [, navigate] = useLocation()
  const [isDelivered, setDelivered] = useState(false)
  const [isBusy, setBusy] = useState(false)

  async function leave (act: () => Promise<unknown>, said: string, to: string) {
    setBusy(true)
    try {
      await act()
      await queries.invalidateQueries({ queryKey: ['webhooks'] })
      toast(said)
      navigate(to)
    } catch (error) {
      toastError(error)
      setBusy(false)
    }
  }
  const save = () => leave(
    () => client.webhooks.update(id, { filter: input.filter ?? {} }),
    'The webhook receives events from now on', `/webhooks/${id}`)
  const discard = () => leave(() => client.webhooks.delete(id), 'Discarded', '/webhooks')
  return (
    <div className={styles.parts}>
      <Panel title='Signing secret' note='shown once'>
        <p className={styles.help}>
          Your receiver verifies each request with it. Copy it now, and give it to your receiver before the test.
        </p>
        <SecretText secret={secret} />
      </Panel>
      <Panel title='Test'>
        <p className={styles.help}>
          Posts a sample event to <code>{url}</code>. The webhook is a draft until you save it: it receives nothing
          else.
        </p>
        <TestPanel webhookId={id} onDelivered={() => setDelivered(true)} />
      </Panel>
      <div className={styles.actions}>
        <Button
          kind={isDelivered ? 'primary' : 'plain'} disabled={isBusy} onClick={() => { save().catch(() => {}) }}
        >
          {isDelivered ? 'Save' : 'Save without a test'}
        </Button>
        <Button disabled={isBusy} onClick={onBack}>Back to its settings</Button>
        <Button kind='danger' disabled={isBusy} onClick={() => { discard().catch(() => {}) }}>Discard</Button>
      </div>
    </div>
  )
}
