import type { Webhook } from 'tidings'
import { Badge } from '../ui/badge.tsx'
import { isDraft } from './draft.ts'

/** `draft`, or its status. */
export function WebhookBadge ({ webhook }: { webhook: Pick<Webhook, 'status' | 'filter'> }) {
  if (isDraft(webhook)) return <Badge tone='warn' dot>draft</Badge>
  const tone = webhook.status === 'active' ? 'ok' : webhook.status === 'disabled' ? 'bad' : 'idle'
  return <Badge tone={tone} dot>{webhook.status}</Badge>
}
