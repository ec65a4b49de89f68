import { useEffect, useRef, useState } from 'react'
import { useLocation } from 'wouter'
import { History, Pause, Play, RotateCw, Send } from 'lucide-react'
import type { Webhook } from 'tidings'
import { DeliveryLog } from '../deliveries/delivery-log.tsx'
import { shortUrl } from '../deliveries/short-url.ts'
import { useClient } from '../live/tidings.tsx'
import type { PageProps } from '../routes.tsx'
import { useCan } from '../session/use-can.ts'
import { announce } from '../shell/announcer.tsx'
import { PageHead } from '../shell/page.tsx'
import { useShortcut } from '../shell/shortcuts.ts'
import { Button, ButtonLink } from '../ui/button.tsx'
import { Call } from '../ui/call.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { LinkTabs } from '../ui/link-tabs.tsx'
import { Notice } from '../ui/notice.tsx'
import { ErrorView, Loading } from '../ui/states.tsx'
import { toast, toastError } from '../ui/toasts.tsx'
import { DRAFT_FILTER, isDraft } from './draft.ts'
import { circuitWords, EndpointNotice } from './endpoint-state.tsx'
import { Overview } from './overview.tsx'
import { useChanged, useWebhook } from './queries.ts'
import { ReplayDialog } from './replay-dialog.tsx'
import { Replays } from './replays.tsx'
import { Settings } from './settings.tsx'
import { TestPanel } from './test-panel.tsx'
import { WebhookBadge } from './webhook-badge.tsx'
import { explainDisabled, filterText, typesText } from './webhook-words.ts'
import styles from './webhook-page.module.css'

const TRAIL = [{ label: 'Webhooks', href: '/webhooks' }]

/** A webhook: how it does, what was sent to it, its replays, and its settings. */
export default function WebhookPage ({ params }: PageProps) {
  const id = Number(params.id)
  const { data: webhook, error, refetch } = useWebhook(id)
  const title = `Webhook ${params.id}`
  if (!webhook) {
    return (
      <>
        <PageHead title={title} trail={TRAIL} />
        {error ? <ErrorView error={error} onRetry={refetch} /> : <Loading />}
      </>
    )
  }
  const base = `/webhooks/${id}`
  return (
    <>
      <PageHead
        title={webhook.description || shortUrl(webhook.url)} trail={TRAIL} actions={<Actions webhook={webhook} />}
      >
        <WebhookBadge webhook={webhook} />
        {webhook.description && <span className={styles.url}>{webhook.url}</span>}
        {!isDraft(webhook) && <span>{typesText(webhook)} of {filterText(webhook)}</span>}
      </PageHead>
      <State webhook={webhook} />
      <LinkTabs
        label='Of this webhook'
        tabs={[
          { label: 'Overview', href: base },
          { label: 'Deliveries', href: `${base}/deliveries` },
          { label: 'Replays', href: `${base}/replays` },
          { label: 'Settings', href: `${base}/settings` }
        ]}
      />
      <Part webhook={webhook} name={params.part} />
    </>
  )
}

function Part ({ webhook, name }: { webhook: Webhook, name: string | undefined }) {
  switch (name) {
    case 'deliveries':
      return (
        <DeliveryLog
          webhookId={webhook.id} empty='It receives the events after its creation. A test or a replay sends some now.'
        />
      )
    case 'replays': return <Replays webhookId={webhook.id} />
    case 'settings': return <Settings webhook={webhook} />
    default: return <Overview webhook={webhook} />
  }
}

function Actions ({ webhook }: { webhook: Webhook }) {
  const { id, status } = webhook
  const canWrite = useCan('webhooks:write')
  const [, navigate] = useLocation()
  const [open, setOpen] = useState<'test' | 'replay'>()
  const setActive = useSetActive(webhook)
  const isActive = status === 'active'
  useShortcut('t', 'Send a test', () => setOpen('test'), canWrite && isActive)
  return (
    <>
      <Call
        path={`/webhooks/${id}`} sdk={`console.log(await client.webhooks.get(${id}))`}
        more={[
          { name: 'Send a test', method: 'POST', path: `/webhooks/${id}/test`, sdk: `await client.webhooks.test(${id})` },
          {
            name: isActive ? 'Pause' : 'Make active',
            method: 'PUT',
            path: `/webhooks/${id}`,
            body: { active: !isActive },
            sdk: `await client.webhooks.update(${id}, { active: ${!isActive} })`
          },
          {
            name: 'End the pause of its endpoint',
            method: 'PUT',
            path: `/webhooks/${id}`,
            body: { active: true },
            sdk: `await client.webhooks.update(${id}, { active: true })`
          },
          {
            name: 'Rotate its secret',
            method: 'POST',
            path: `/webhooks/${id}/rotate-secret`,
            sdk: `const secret = await client.webhooks.rotateSecret(${id})`
          },
          {
            name: 'Delete it', method: 'DELETE', path: `/webhooks/${id}`, sdk: `await client.webhooks.delete(${id})`
          }
        ]}
      />
      {canWrite && (
        <>
          {isActive && (
            <Button icon={<Pause size={15} aria-hidden />} onClick={() => setActive(false)}>Pause</Button>
          )}
          {status === 'paused' && (
            <Button icon={<Play size={15} aria-hidden />} onClick={() => setActive(true)}>Resume</Button>
          )}
          <Button icon={<History size={15} aria-hidden />} onClick={() => setOpen('replay')}>Replay…</Button>
          {isActive && <Button icon={<Send size={15} aria-hidden />} onClick={() => setOpen('test')}>Test…</Button>}
        </>
      )}
      <Dialog
        isOpen={open === 'test'} onClose={() => setOpen(undefined)} title='Send a test'
        description='Posts a sample event, signed like any other.'
      >
        <TestPanel webhookId={id} />
      </Dialog>
      {open === 'replay' && (
        <ReplayDialog
          webhookId={id} onClose={() => setOpen(undefined)}
          onStarted={() => { setOpen(undefined); navigate(`/webhooks/${id}/replays`) }}
        />
      )}
    </>
  )
}

function useSetActive ({ id, status }: Webhook): (active: boolean) => void {
  const client = useClient()
  const changed = useChanged()
  return active => {
    client.webhooks.update(id, { active }).then(webhook => {
      changed(webhook)
      toast(active
        ? status === 'disabled' ? 'Active again' : 'Resumed: what waited is delivered now'
        : 'Paused: pending deliveries wait, new events are not delivered')
    }).catch(toastError)
  }
}

/** What keeps it from receiving events, in words, with what mends it. */
function State ({ webhook }: { webhook: Webhook }) {
  const client = useClient()
  const changed = useChanged()
  const canWrite = useCan('webhooks:write')
  const setActive = useSetActive(webhook)
  const [, navigate] = useLocation()
  const { id, status, disabledReason } = webhook
  const activate = (words: string) => canWrite && (
    <Button kind='primary' icon={<Play size={15} aria-hidden />} onClick={() => setActive(true)}>{words}</Button>
  )
  const settings = canWrite && <Button onClick={() => navigate(`/webhooks/${id}/settings`)}>Change its address</Button>
  const box = (notice: React.ReactNode) => <div className={styles.state}>{notice}</div>
  if (status === 'disabled') {
    const { title, text } = explainDisabled(disabledReason)
    return box(
      <Notice tone='bad' title={title} actions={<>{activate('Make it active again')}{settings}</>}>{text}</Notice>
    )
  }
  if (status === 'paused') {
    return box(
      <Notice tone='warn' title='Paused' actions={activate('Resume')}>
        What was pending waits. Events of the meantime are not delivered afterwards: a replay sends them.
      </Notice>
    )
  }
  if (!isDraft(webhook)) return <Endpoint webhook={webhook} />
  const finish = () => {
    client.webhooks.update(id, { filter: {} }).then(changed).catch(toastError)
  }
  return box(
    <Notice
      tone='warn' title='A draft: it receives tests and nothing else'
      actions={canWrite && <><Button kind='primary' onClick={finish}>Receive events of all jobs</Button></>}
    >
      Its setup was not finished: its filter, <code>{DRAFT_FILTER.names[0]}</code>, matches no job. The settings can
      limit it to some jobs.
    </Notice>
  )
}

/** That its endpoint fails, since when, and what can be done about it; nothing while it answers. */
function Endpoint ({ webhook }: { webhook: Webhook }) {
  const canWrite = useCan('webhooks:write')
  const setActive = useSetActive(webhook)
  const { id, health } = webhook
  const { word } = circuitWords(health)
  const said = useRef(word)
  useEffect(() => {
    if (said.current !== word) announce(`Its endpoint is ${word}`)
    said.current = word
  }, [word])
  if (health.circuit === 'closed') return null
  return (
    <div className={styles.state}>
      <EndpointNotice
        health={health}
        actions={(
          <>
            {canWrite && health.openUntil !== null && (
              <Button icon={<RotateCw size={15} aria-hidden />} onClick={() => setActive(true)}>Try again now</Button>
            )}
            <ButtonLink href={`/webhooks/${id}/deliveries?status=failed,pending`}>What waits or failed</ButtonLink>
          </>
        )}
      />
    </div>
  )
}
