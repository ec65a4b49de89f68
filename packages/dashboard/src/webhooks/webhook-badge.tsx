import type { Webhook } from 'tidings'
import { Badge } from '../ui/badge.tsx'
import { isDraft } from './draft.ts'
import { circuitWords } from './endpoint-state.tsx'

/** `draft`, its status, or that the endpoint of an active one fails. */
export function WebhookBadge ({ webhook }: { webhook: Pick<Webhook, 'status' | 'filter' | 'health'> }) {
  const { status, health } = webhook
  if (isDraft(webhook)) return <Badge tone='warn' dot>draft</Badge>
  if (status !== 'active') return <Badge tone={status === 'disabled' ? 'bad' : 'idle'} dot>{status}</Badge>
  const { word, tone } = circuitWords(health)
  return <Badge tone={tone} dot>{word}</Badge>
}
