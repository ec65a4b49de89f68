import { serverCommand, type ServerTools } from '../command.ts'
import { EXIT, Exit, UsageError } from '../failure.ts'
import { showEvents } from '../show-events.ts'
import { watchJobs } from '../watch-jobs.ts'

/** As many as one connection may follow without polling for long. */
const MAX_JOBS = 100

export const watch = serverCommand({
  name: 'watch',
  description: 'Show jobs as they change, until they end. Exits with 1 where one fails',
  args: {
    id: { type: 'positional', required: false, description: 'Jobs to watch, up to 100' },
    queue: { type: 'string', valueHint: 'NAME', description: 'Of this queue, where an id is in several' },
    all: { type: 'boolean', description: 'All jobs, for as long as it runs' }
  },
  isVariadic: true,
  run: async tools => {
    const { args, positionals: ids } = tools
    if (args.all ? ids.length > 0 : ids.length === 0) throw new UsageError('watch takes ids of jobs, or --all')
    if (ids.length > MAX_JOBS) throw new UsageError(`watch takes up to ${MAX_JOBS} jobs; --all shows all`)
    if (args.all) await showEvents(tools as unknown as ServerTools<{}>, {})
    else await watchToTheEnd(ids, tools as unknown as ServerTools<{}>, args.queue)
  }
})

/** Watches jobs, and makes the program exit with 1 where one of them fails. */
export async function watchToTheEnd (ids: string[], tools: ServerTools<{}>, queue?: string): Promise<void> {
  const jobs = await watchJobs(ids, { ...tools, queue })
  if (jobs.some(({ state }) => state === 'failed')) throw new Exit(EXIT.failed)
}
