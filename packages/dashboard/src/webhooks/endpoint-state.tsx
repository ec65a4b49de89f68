import type { ReactNode } from 'react'
import type { WebhookHealth } from 'tidings'
import { formatCount } from '../lib/format.ts'
import type { Tone } from '../ui/badge.tsx'
import { Countdown } from '../ui/countdown.tsx'
import { Notice } from '../ui/notice.tsx'
import { Time } from '../ui/time.tsx'

const CIRCUITS: Record<WebhookHealth['circuit'], { word: string, tone: Tone }> = {
  closed: { word: 'active', tone: 'ok' },
  failing: { word: 'failing', tone: 'warn' },
  throttled: { word: 'throttled', tone: 'warn' },
  open: { word: 'failing', tone: 'bad' },
  'half-open': { word: 'failing', tone: 'bad' }
}

/** How the endpoint of an active webhook answers, in a word. */
export const circuitWords = ({ circuit }: WebhookHealth) => CIRCUITS[circuit]

/** When the next attempt is made: `in 40 s`. */
export function NextAttempt ({ health: { nextAttemptAt } }: { health: WebhookHealth }) {
  if (nextAttemptAt === null) return <>with the next event</>
  return <Countdown until={nextAttemptAt} passed='now' />
}

/** `Failing since 10:41:36, next attempt in 40 s`, with what that means for deliveries. */
export function EndpointNotice ({ health, actions }: { health: WebhookHealth, actions?: ReactNode }) {
  const { circuit, failures, failingSince } = health
  const { tone } = circuitWords(health)
  const verb = circuit === 'throttled' ? 'Throttled' : 'Failing'
  const title = (
    <>
      {verb}{failingSince !== null && <> since <Time at={failingSince} as='exact' /></>}, next attempt{' '}
      <NextAttempt health={health} />
    </>
  )
  const attempts = failures === 1 ? 'The last attempt failed.' : `The last ${formatCount(failures)} attempts failed.`
  return <Notice tone={tone} title={title} actions={actions}>{failures > 0 && attempts} {MEANING[circuit]}</Notice>
}

const MEANING: Record<WebhookHealth['circuit'], string> = {
  closed: '',
  failing: 'Each delivery is retried after pauses that grow.',
  throttled: 'The endpoint asked for a pause: all deliveries wait, then continue one at a time.',
  open: 'Its circuit is open: deliveries wait and use up no attempts until one attempt succeeds.',
  'half-open': 'Its pause is over: one attempt at a time shows whether it works again.'
}
