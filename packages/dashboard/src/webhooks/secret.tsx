import { useEffect, useState } from 'react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Eye, RefreshCw } from 'lucide-react'
import type { Webhook } from 'tidings'
import { useClient } from '../live/tidings.tsx'
import { useCan } from '../session/use-can.ts'
import { Button } from '../ui/button.tsx'
import { Call } from '../ui/call.tsx'
import { CopyButton } from '../ui/copy-button.tsx'
import { Countdown } from '../ui/countdown.tsx'
import { Confirm, Dialog, DialogActions } from '../ui/dialog.tsx'
import { Panel } from '../ui/panel.tsx'
import { useAction } from '../ui/use-action.ts'
import styles from './secret.module.css'

/** A secret on a screen is one that others see. */
const SHOWN_MS = 30_000

/** The secret with a way to copy it. */
export function SecretText ({ secret }: { secret: string }) {
  return (
    <div className={styles.secret}>
      <code>{secret}</code>
      <CopyButton text={secret} label='Copy the secret' />
    </div>
  )
}

/** Shows a new secret once. */
export function SecretDialog ({ secret, title, onClose }: { secret: string, title: string, onClose: () => void }) {
  return (
    <Dialog
      isOpen onClose={onClose} title={title}
      description='It signs requests as this webhook: keep it secret. Your receiver needs it to verify them.'
    >
      <SecretText secret={secret} />
      <DialogActions><Button kind='primary' onClick={onClose}>I have it</Button></DialogActions>
    </Dialog>
  )
}

/** The signing secret of a webhook: to be shown on demand, and replaced with an overlap. */
export function SecretPanel ({ webhook: { id } }: { webhook: Pick<Webhook, 'id'> }) {
  const client = useClient()
  const queries = useQueryClient()
  const canWrite = useCan('webhooks:write')
  const [shown, setShown] = useState<string>()
  const [rotated, setRotated] = useState<string>()
  const [isAsking, setAsking] = useState(false)
  const { isBusy, run } = useAction()
  const queryKey = ['webhook-secret', id]
  const { data } = useQuery({
    queryKey,
    // The secret itself is not kept in the page.
    queryFn: async ({ signal }) => (await client.webhooks.signing(id, { signal })).replacedUntil,
    enabled: canWrite
  })
  useEffect(() => {
    if (!shown) return
    const timer = setTimeout(setShown, SHOWN_MS, undefined)
    return () => clearTimeout(timer)
  }, [shown])

  const show = () => run(async () => setShown(await client.webhooks.secret(id)))
  const rotate = () => run(async () => {
    setRotated(await client.webhooks.rotateSecret(id))
    setShown(undefined)
    setAsking(false)
    await queries.invalidateQueries({ queryKey })
  })
  return (
    <Panel
      title='Signing secret'
      actions={canWrite && (
        <>
          <Call
            size='small' method='POST' path={`/webhooks/${id}/rotate-secret`}
            sdk={`const secret = await client.webhooks.rotateSecret(${id})`}
          />
          <Button size='small' icon={<RefreshCw size={14} aria-hidden />} onClick={() => setAsking(true)}>
            Rotate…
          </Button>
        </>
      )}
    >
      {!canWrite
        ? <p className={styles.soft}>Your token does not allow to see it.</p>
        : shown
          ? <SecretText secret={shown} />
          : (
            <div className={styles.secret}>
              <code aria-label='hidden'>whsec_••••••••••••••••••••••••</code>
              <Button
                size='small' icon={<Eye size={14} aria-hidden />} disabled={isBusy}
                onClick={() => { show().catch(() => {}) }}
              >
                Show
              </Button>
            </div>
            )}
      {data && (
        <p className={styles.overlap} role='status'>
          The secret before it signs too, and ends <b><Countdown until={data} passed='now' /></b>. Until then receivers
          accept either.
        </p>
      )}
      <Confirm
        isOpen={isAsking} onClose={() => setAsking(false)} title='Rotate the secret?' confirm='Rotate' isBusy={isBusy}
        onConfirm={() => { rotate().catch(() => {}) }}
      >
        For 24 hours each request carries two signatures, by the new secret and by the one in use. Give the new one to
        your receiver within that time, and nothing is refused.
      </Confirm>
      {rotated && <SecretDialog secret={rotated} title='The new secret' onClose={() => setRotated(undefined)} />}
    </Panel>
  )
}
