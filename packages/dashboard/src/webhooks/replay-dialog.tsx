import { useState } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import type { NewReplay, ReplayMatches } from 'tidings'
import { EVENT_TYPES } from '../deliveries/delivery-words.tsx'
import { formatCount } from '../lib/format.ts'
import { useStored } from '../lib/stored.ts'
import { useClient } from '../live/tidings.tsx'
import { announce } from '../shell/announcer.tsx'
import { Button } from '../ui/button.tsx'
import { Call } from '../ui/call.tsx'
import { Dialog, DialogActions } from '../ui/dialog.tsx'
import { zone, zoneName } from '../ui/time-format.ts'
import { toast } from '../ui/toasts.tsx'
import { useAction } from '../ui/use-action.ts'
import { formatInput, parseInput } from './time-input.ts'
import styles from './replay-dialog.module.css'

const HOUR_MS = 3_600_000
const PRESETS = [['1 hour', HOUR_MS], ['24 hours', 24 * HOUR_MS], ['7 days', 168 * HOUR_MS]] as const

interface Values {
  /** A date and time as its field has it. */
  since: string
  until: string
  /** An event's id; it takes the place of `since`. */
  after: string
  isFailedOnly: boolean
  eventTypes: readonly string[]
}

/** Chooses what to send again, counts it, and only then sends. */
export function ReplayDialog ({ webhookId, onClose, onStarted }: {
  webhookId: number
  onClose: () => void
  onStarted: () => void
}) {
  const client = useClient()
  const queries = useQueryClient()
  const shownZone = useStored(zone)
  const [values, setValues] = useState<Values>(() => ({
    since: formatInput(Date.now() - 24 * HOUR_MS, shownZone), until: '', after: '', isFailedOnly: true, eventTypes: []
  }))
  const [counted, setCounted] = useState<ReplayMatches>()
  const { isBusy, run } = useAction()
  const change = (part: Partial<Values>) => {
    setValues({ ...values, ...part })
    setCounted(undefined)
  }
  const replay = replayOf(values, ms => parseInput(ms, shownZone))

  const count = () => run(async () => {
    const found = await client.webhooks.replay(webhookId, { ...replay, dryRun: true })
    setCounted(found)
    announce(`${found.matched} deliveries`)
  })
  const start = () => run(async () => {
    await client.webhooks.replay(webhookId, { ...replay, dryRun: false })
    await queries.invalidateQueries({ queryKey: ['replays', webhookId] })
    toast('The replay runs')
    onStarted()
  })
  const zoneText = zoneName(shownZone)
  return (
    <Dialog
      isOpen onClose={onClose} title='Replay events'
      description='Sends the events of some time again, with their webhook-ids, by its filter as it is now.'
    >
      <div className={styles.form}>
        <div className={styles.presets} role='group' aria-label='Since'>
          {PRESETS.map(([words, ms]) => (
            <Button
              key={words} size='small'
              onClick={() => change({ since: formatInput(Date.now() - ms, shownZone), until: '', after: '' })}
            >
              Last {words}
            </Button>
          ))}
        </div>
        <div className={styles.pair}>
          <label>
            <span>Since ({zoneText})</span>
            <input
              type='datetime-local' value={values.since} disabled={values.after !== ''}
              onChange={event => change({ since: event.target.value })}
            />
          </label>
          <label>
            <span>Until ({zoneText}), or now</span>
            <input
              type='datetime-local' value={values.until} onChange={event => change({ until: event.target.value })}
            />
          </label>
        </div>
        <label>
          <span>Or after the event</span>
          <input
            type='text' value={values.after} placeholder='1640995300000-0' spellCheck={false} autoComplete='off'
            onChange={event => change({ after: event.target.value.trim() })}
          />
        </label>
        <fieldset>
          <legend>Events</legend>
          {EVENT_TYPES.map(type => (
            <label key={type} className={styles.check}>
              <input
                type='checkbox' checked={values.eventTypes.length === 0 || values.eventTypes.includes(type)}
                onChange={() => change({ eventTypes: toggled(values.eventTypes, type) })}
              />
              {type}
            </label>
          ))}
        </fieldset>
        <label className={styles.check}>
          <input
            type='checkbox' checked={values.isFailedOnly}
            onChange={event => change({ isFailedOnly: event.target.checked })}
          />
          Only those whose delivery failed and was not made up for since
        </label>
      </div>
      <p className={styles.count} role='status'>
        {counted && (
          <>
            <b>{formatCount(counted.matched)}{counted.matchedIsCapped && ' or more'}</b>
            {counted.matched === 1 ? ' delivery' : ' deliveries'} would be sent.
          </>
        )}
      </p>
      <DialogActions>
        <Call
          method='POST' path={`/webhooks/${webhookId}/replay`} body={replay}
          sdk={`await client.webhooks.replay(${webhookId}, ${JSON.stringify(replay)})`}
        />
        <Button onClick={onClose}>Back</Button>
        {counted && counted.matched > 0
          ? (
            <Button kind='primary' disabled={isBusy} onClick={() => { start().catch(() => {}) }}>
              Send {formatCount(counted.matched)}{counted.matchedIsCapped && ' or more'}
            </Button>
            )
          : (
            <Button kind='primary' disabled={isBusy || !replay.since} onClick={() => { count().catch(() => {}) }}>
              Count them
            </Button>
            )}
      </DialogActions>
    </Dialog>
  )
}

/** No type chosen means all: unticking one leaves the others. */
function toggled (chosen: readonly string[], type: string): readonly string[] {
  const current: readonly string[] = chosen.length === 0 ? EVENT_TYPES : chosen
  const next = current.includes(type) ? current.filter(each => each !== type) : [...current, type]
  return next.length === EVENT_TYPES.length ? [] : next
}

function replayOf (
  { since, until, after, isFailedOnly, eventTypes }: Values, parse: (text: string) => string | undefined
): Omit<NewReplay, 'dryRun'> {
  const end = parse(until)
  return {
    since: after || (parse(since) ?? ''),
    ...(end && { until: end }),
    ...(isFailedOnly && { status: 'failed' }),
    ...(eventTypes.length > 0 && { eventTypes: [...eventTypes] as NonNullable<NewReplay['eventTypes']> })
  }
}
