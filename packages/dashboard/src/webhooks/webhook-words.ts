import type { Webhook } from 'tidings'

/** `completed, failed`, or `all`. */
export const typesText = ({ eventTypes }: Pick<Webhook, 'eventTypes'>): string =>
  eventTypes.length === 3 ? 'all events' : eventTypes.join(', ')

/** Which jobs it is about, in words. */
export function filterText ({ filter: { queues, names } }: Pick<Webhook, 'filter'>): string {
  const parts = [
    ...(names ? [`named ${listText(names)}`] : []),
    ...(queues ? [`in ${queues.length === 1 ? 'the queue' : 'the queues'} ${listText(queues)}`] : [])
  ]
  return parts.length === 0 ? 'all jobs' : `jobs ${parts.join(' ')}`
}

const LISTED = 3

function listText (values: string[]): string {
  const more = values.length - LISTED
  return more > 0 ? `${values.slice(0, LISTED).join(', ')} and ${more} more` : values.join(' or ')
}

/** Why a webhook was disabled, and what has to be true before it is made active again. */
export function explainDisabled (reason: string | null): { title: string, text: string } {
  if (reason?.includes('410')) {
    return {
      title: 'Disabled: its endpoint said that it is gone',
      text: 'It responded with 410, which asks for nothing to be sent any more. If it is there again, make the ' +
        'webhook active; if it has moved, change its address first.'
    }
  }
  if (reason?.startsWith('Every attempt')) {
    return {
      title: `Disabled: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}`,
      text: 'Look at the newest deliveries for what its endpoint does wrong, and send a test once that is mended. ' +
        'Active again, it receives new events, and failed completions and failures of the last 24 hours once more; ' +
        'a replay sends earlier ones.'
    }
  }
  return { title: `Disabled${reason ? `: ${reason}` : ''}`, text: 'Mend its endpoint, then make it active again.' }
}
