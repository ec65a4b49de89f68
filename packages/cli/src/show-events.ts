import type { EventsOptions, Gap, JobEvent } from 'tidings'
import type { ServerTools } from './command.ts'
import { jobFormat } from './job-text.ts'
import type { Output } from './output.ts'
import { oneLine, printable } from './text.ts'

interface ShowOptions extends Pick<EventsOptions, 'since' | 'types'> {
  /** Ends once it has shown what there was when it connected. */
  untilNow?: boolean
}

/** Prints events as they come, each once and in order. */
export async function showEvents (
  { client, out, signal }: Pick<ServerTools<{}>, 'client' | 'out' | 'signal'>, showOptions: ShowOptions
): Promise<void> {
  const { untilNow = false, ...options } = showOptions
  const events = client.events({
    ...options,
    signal,
    onStatus: ({ state, reason }) => { if (state === 'recovering') out.note(`reconnecting: ${reason ?? ''}`) }
  })
  const ready = events.ready()
  if (!untilNow) {
    await ready
    out.note('waiting for events')
  }
  ready.catch(() => {}) // the loop gets the same error
  try {
    for (;;) {
      const next = events.next()
      const result = await (untilNow ? Promise.race([next, nothingMore()]) : next)
      if (result === undefined || result.done) return
      out.value(result.value, () => eventLine(result.value, out))
    }
  } finally {
    if (untilNow && events.cursor) out.note(`continue with --since ${events.cursor}`)
    events.close()
  }

  /** Once the stream is complete, an event that waits is there at once. */
  async function nothingMore (): Promise<undefined> {
    await ready
    await new Promise(resolve => { setImmediate(resolve) })
  }
}

function eventLine (event: JobEvent | Gap, out: Output): string {
  if (event.type === 'gap') {
    return out.style('yellow', `gap: events after ${event.from} up to ${event.to} are not held any more`)
  }
  const { eventId, jobId, name, timestamp } = event
  const state = event.type === 'state' ? event.state : event.type
  return `${new Date(timestamp).toISOString()}  ${out.style(jobFormat(state), state.padEnd(9))}  ` +
    printable(`${name}  ${jobId}  ${eventId}  ${detailOf(event)}`).trimEnd()
}

function detailOf (event: JobEvent): string {
  switch (event.type) {
    case 'progress': return oneLine(event.progress, 200)
    case 'completed': return oneLine(event.result, 200)
    case 'failed': return event.error
    case 'state': return ''
    default: return event satisfies never
  }
}
