import type { JobEvent } from 'tidings'
import { serverCommand, type ServerTools } from '../command.ts'
import { UsageError } from '../failure.ts'
import { showEvents } from '../show-events.ts'
import { parseEventId, parseList } from '../text.ts'

const TYPES: string[] = ['progress', 'completed', 'failed', 'state'] satisfies JobEvent['type'][]

export const events = serverCommand({
  name: 'events',
  description: 'Print the events of all jobs, each once and in order',
  args: {
    since: { type: 'string', valueHint: 'EVENT', description: 'Begin after the event with this id' },
    follow: { type: 'boolean', description: 'With --since: go on with what happens. Without --since it always does' },
    types: { type: 'string', valueHint: 'LIST', description: 'Of progress,completed,failed,state; all by default' }
  },
  run: async tools => {
    const { since, follow, types } = tools.args
    if (since !== undefined) parseEventId('--since', since)
    const chosen = types === undefined ? undefined : parseList(types)
    const unknown = chosen?.find(type => !TYPES.includes(type))
    if (unknown !== undefined) throw new UsageError(`--types takes a list of ${TYPES.join(', ')}, not ${unknown}`)
    await showEvents(tools as unknown as ServerTools<{}>, {
      since, types: chosen as JobEvent['type'][] | undefined, untilNow: since !== undefined && !follow
    })
  }
})
