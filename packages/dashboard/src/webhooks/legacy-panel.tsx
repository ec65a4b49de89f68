import { useState } from 'react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import type { CreatedWebhook } from 'tidings'
import { TidingsError } from 'tidings'
import { useClient } from '../live/tidings.tsx'
import { useCan } from '../session/use-can.ts'
import { Badge } from '../ui/badge.tsx'
import { Button } from '../ui/button.tsx'
import { Confirm } from '../ui/dialog.tsx'
import { Notice } from '../ui/notice.tsx'
import { Fact, Facts, Panel } from '../ui/panel.tsx'
import { describeError } from '../ui/states.tsx'
import { Time } from '../ui/time.tsx'
import { toastError } from '../ui/toasts.tsx'
import { circuitWords, NextAttempt } from './endpoint-state.tsx'
import { SecretDialog } from './secret.tsx'

/** The user's one `webhookUrl` of earlier days. Few have one, so it is asked for on demand. */
export function LegacyPanel () {
  const client = useClient()
  const queries = useQueryClient()
  const canWrite = useCan('webhooks:write')
  const [isWanted, setWanted] = useState(false)
  const [isAsking, setAsking] = useState(false)
  const [created, setCreated] = useState<CreatedWebhook>()
  const { data: legacy, error } = useQuery({
    enabled: isWanted,
    queryKey: ['webhook-legacy'],
    queryFn: async ({ signal }) => {
      try {
        return await client.webhooks.legacy.get({ signal })
      } catch (error) {
        if (error instanceof TidingsError && error.code === 'not_found') return null
        throw error
      }
    }
  })
  async function migrate () {
    setAsking(false)
    try {
      setCreated(await client.webhooks.legacy.migrate())
      await queries.invalidateQueries({ predicate: ({ queryKey: [name] }) => String(name).startsWith('webhook') })
    } catch (error) {
      toastError(error)
    }
  }
  return (
    <>
      {!isWanted && (
        <div>
          <Button kind='quiet' size='small' onClick={() => setWanted(true)}>
            Show the webhookUrl of earlier versions
          </Button>
        </div>
      )}
      {error && <Notice tone='bad' title={describeError(error).title} />}
      {legacy === null && <Notice tone='idle' title='You have no webhookUrl'>Webhooks have taken its place.</Notice>}
      {legacy && (
        <Panel
          title='Your webhookUrl' note='completions only'
          actions={canWrite && <Button size='small' onClick={() => setAsking(true)}>Make it a webhook…</Button>}
        >
          <Facts>
            <Fact name='Address'>{legacy.webhookUrl}</Fact>
            <Fact name='Status'>
              <Badge tone={legacy.status === 'active' ? 'ok' : 'bad'} dot>{legacy.status}</Badge>
            </Fact>
            {legacy.status === 'active' && legacy.health.circuit !== 'closed' && (
              <Fact name='Endpoint'>
                {circuitWords(legacy.health).word}, next attempt <NextAttempt health={legacy.health} />
              </Fact>
            )}
            {legacy.disabledReason && <Fact name='Reason'>{legacy.disabledReason}</Fact>}
            <Fact name='Changed'><Time at={legacy.updatedAt} /></Fact>
          </Facts>
        </Panel>
      )}
      <Confirm
        isOpen={isAsking} onClose={() => setAsking(false)} title='Make your webhookUrl a webhook?'
        confirm='Make it a webhook' onConfirm={() => { migrate().catch(() => {}) }}
      >
        It then has filters, statistics and a secret of its own, and the webhookUrl is removed. Nothing is sent twice.
      </Confirm>
      {created && (
        <SecretDialog
          secret={created.secret} title='The secret of your webhook' onClose={() => setCreated(undefined)}
        />
      )}
    </>
  )
}
