import { defineCommand } from 'citty'
import type { JobState } from 'tidings'
import { serverCommand } from '../command.ts'
import { UsageError } from '../failure.ts'
import { followJobs } from '../follow/follow-jobs.ts'
import type { JobFilter } from '../follow/job-filter.ts'
import { readData } from '../input.ts'
import { describeJob, jobColumns } from '../job-text.ts'
import { LIMIT, limitOf, MAX_PAGE } from '../limit.ts'
import { firstOf } from '../output.ts'
import { BULK_ARGS, runBulk } from '../run-bulk.ts'
import { parseList, parseMoment } from '../text.ts'
import { attemptColumns, timelineColumns, withProgress } from '../timeline.ts'
import { deliveryColumns } from './deliveries.ts'

const QUEUE = { type: 'string', valueHint: 'NAME', description: 'Of this queue, where an id is in several' } as const
const ID = { type: 'positional', required: true, description: 'The id of the job' } as const

const FILTER = {
  status: { type: 'string', valueHint: 'LIST', description: 'Of waiting,delayed,active,completed,failed' },
  q: { type: 'string', valueHint: 'TEXT', description: 'The beginning of an id, or part of a name or of an error' },
  name: { type: 'string', valueHint: 'NAME', description: 'Jobs of this name' },
  queue: { type: 'string', valueHint: 'NAME', description: 'Jobs of this queue' },
  bulk: { type: 'string', valueHint: 'ID', description: 'Retried or cancelled by this bulk action' },
  since: { type: 'string', valueHint: 'TIME', description: 'Created since: 2h, 7d, or a date' },
  until: { type: 'string', valueHint: 'TIME', description: 'Created before: 2h, 7d, or a date' }
} as const

type FilterArgs = { [Option in keyof typeof FILTER]?: string | undefined }

function filterOf (args: FilterArgs): JobFilter & { bulkId?: string } {
  const { status, q, name, queue, bulk, since, until } = args
  return {
    ...(status && { status: parseList(status) as JobState[] }),
    ...(q && { q }),
    ...(name && { name }),
    ...(queue && { queue }),
    ...(bulk && { bulkId: bulk }),
    ...(since && { from: parseMoment('--since', since) }),
    ...(until && { to: parseMoment('--until', until) })
  }
}

const list = serverCommand({
  name: 'ls',
  description: 'List jobs, newest first',
  args: {
    ...FILTER,
    sort: { type: 'string', valueHint: 'KEY', description: 'created, or finished (ended jobs; --since too)' },
    limit: LIMIT,
    follow: { type: 'boolean', description: 'The newest last, and then a line for each job that comes or changes' }
  },
  run: async ({ args, client, out, signal }) => {
    const limit = limitOf(args)
    if (args.follow) {
      if (args.sort) throw new UsageError('--follow has an order of its own: leave out --sort')
      if (args.bulk) throw new UsageError('--follow shows jobs as they come: leave out --bulk')
      return await followJobs({ client, out, signal }, filterOf(args), limit)
    }
    const jobs = client.jobs.list({
      ...filterOf(args),
      ...(args.sort && { sort: args.sort as 'created' | 'finished' }),
      limit: Math.min(limit, MAX_PAGE),
      signal
    })
    out.table(await firstOf(jobs, limit), jobColumns, 'no jobs')
  }
})

const get = serverCommand({
  name: 'get',
  description: 'Show a job',
  args: { id: ID, queue: QUEUE, data: { type: 'boolean', description: 'With what it was submitted with' } },
  run: async ({ args, client, out, signal }) => {
    const job = await client.jobs.get(args.id, { queue: args.queue, ...(args.data && { include: 'data' }), signal })
    out.value(job, () => describeJob(job))
  }
})

const events = serverCommand({
  name: 'events',
  description: 'Show what happened to a job',
  args: {
    id: ID,
    queue: QUEUE,
    progress: { type: 'boolean', description: 'With progress, of which at most 200 samples are kept' }
  },
  run: async ({ args: { id, queue, progress }, client, out, signal }) => {
    const entries = progress
      ? withProgress(await client.jobs.detailedTimeline(id, { queue, signal }))
      : await client.jobs.timeline(id, { queue, signal })
    out.table(entries, timelineColumns, 'nothing yet')
  }
})

const attempts = serverCommand({
  name: 'attempts',
  description: 'Show the attempts of a job: when each began, how long it took, and why it failed',
  args: { id: ID, queue: QUEUE },
  run: async ({ args: { id, queue }, client, out, signal }) => {
    const { attempts } = await client.jobs.detailedTimeline(id, { queue, signal })
    out.table(attempts, attemptColumns, 'not attempted yet')
    const missing = (attempts[0]?.number ?? 1) - 1
    if (missing > 0) out.note(`${missing} older attempts are not among the newest 1,000 events of the job`)
  }
})

const deliveries = serverCommand({
  name: 'deliveries',
  description: 'Show who was notified: the webhooks that each event of a job went to, and what became of it',
  args: { id: ID, queue: QUEUE },
  run: async ({ args, client, out, signal }) => {
    const { events, truncated } = await client.jobs.deliveries(args.id, { queue: args.queue, signal })
    out.table(events.flatMap(event => event.deliveries), deliveryColumns, 'no webhook was notified')
    if (truncated) out.note('These are the newest 500: tidings deliveries --job has all')
  }
})

/** A command for the jobs with these ids, one after the other, or for all that match. */
function actionOf (name: 'cancel' | 'retry', description: string) {
  return serverCommand({
    name,
    description,
    args: {
      id: { type: 'positional', required: false, description: 'Ids of jobs; or options that select jobs' },
      ...FILTER,
      ...BULK_ARGS
    },
    isVariadic: true,
    run: async ({ args, positionals, client, out, signal }) => {
      const { queue, ...filter } = filterOf(args)
      const selects = Object.keys(filter).length > 0
      if (selects && positionals.length > 0) throw new UsageError(`${name} takes ids, or options that select jobs`)
      if (selects) return await runBulk({ client, out, signal }, { action: name, filter: filterOf(args) }, args)
      if (positionals.length === 0) throw new UsageError(`${name} takes the ids of jobs, or options that select jobs`)
      for (const id of positionals) {
        const job = await client.jobs[name](id, { queue, signal })
        out.value(job, () => `${job.id} ${job.state}`)
      }
    }
  })
}

const resubmit = serverCommand({
  name: 'resubmit',
  description: 'Submit a job like another one, and print its id',
  args: {
    id: ID,
    queue: QUEUE,
    data: { type: 'string', valueHint: 'JSON', description: 'Other data: an object, @FILE, or - for stdin' }
  },
  run: async ({ args, client, out, signal }) => {
    const data = args.data === undefined ? undefined : await readData('--data', args.data)
    const { jobId, name, queue, state } = await client.jobs.resubmit(args.id, { data, queue: args.queue, signal })
    out.value({ jobId, name, queue, state }, () => jobId)
  }
})

export const jobs = defineCommand({
  meta: { name: 'jobs', description: 'List jobs and act on them' },
  subCommands: {
    ls: list,
    get,
    events,
    attempts,
    deliveries,
    cancel: actionOf('cancel', 'Remove jobs that wait; ask the workers of active ones to stop'),
    retry: actionOf('retry', 'Let failed jobs run once more'),
    resubmit
  }
})
