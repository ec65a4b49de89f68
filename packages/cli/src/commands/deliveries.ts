import { defineCommand } from 'citty'
import type { Delivery, DeliverySummary } from 'tidings'
import { serverCommand } from '../command.ts'
import { UsageError } from '../failure.ts'
import { LIMIT, limitOf } from '../limit.ts'
import { firstOf, type Column } from '../output.ts'
import { BULK_ARGS, runBulk } from '../run-bulk.ts'
import { duration, oneLine, parseInteger, parseIsoMoment, printable, shortened } from '../text.ts'

const FORMATS = {
  delivered: 'green', failed: 'red', pending: 'cyan', superseded: 'dim', closed: 'dim'
} as const
const formatOf = ({ status }: DeliverySummary) => FORMATS[status as keyof typeof FORMATS]

export const deliveryColumns: Column<DeliverySummary>[] = [
  { title: 'ID', text: ({ id }) => String(id) },
  { title: 'WEBHOOK', text: ({ webhookId }) => String(webhookId) },
  { title: 'STATUS', text: ({ status }) => status, format: formatOf },
  { title: 'EVENT', text: ({ eventType }) => eventType },
  { title: 'JOB', text: ({ name, jobId }) => `${name ?? ''} ${jobId ?? ''}`.trim(), width: 60 },
  { title: 'AGE', text: ({ createdAt }) => duration(Date.now() - Date.parse(createdAt)) },
  { title: 'ATTEMPTS', text: ({ attemptCount }) => String(attemptCount) },
  { title: 'RESPONSE', text: ({ statusCode, errorClass }) => [statusCode, errorClass].filter(Boolean).join(' ') }
]

function describeDelivery (delivery: Delivery): string {
  const { id, webhookId, status, eventType, eventId, reason, nextAttemptAt, payload, attempts } = delivery
  const lines = [
    `delivery ${id} of webhook ${webhookId}: ${status}${reason ? ` (${reason})` : ''}`,
    `event ${eventType} ${eventId}`,
    `payload ${oneLine(payload, 2000)}`,
    ...(nextAttemptAt ? [`next attempt ${nextAttemptAt}`] : []),
    ...attempts.map(({ attempt, startedAt, statusCode, errorClass, message, durations, responseBody }) =>
      `attempt ${attempt} at ${startedAt}: ${[statusCode, errorClass, message].filter(Boolean).join(' ')}, ` +
      `${durations.totalMs} ms${responseBody ? `, ${shortened(responseBody, 500)}` : ''}`)
  ]
  return lines.map(printable).join('\n')
}

const FILTER = {
  webhook: { type: 'string', valueHint: 'ID', description: 'To this webhook, also a deleted one' },
  job: { type: 'string', valueHint: 'ID', description: 'Of this job' },
  queue: { type: 'string', valueHint: 'NAME', description: 'Of the jobs of this queue' },
  event: { type: 'string', valueHint: 'ID', description: 'Of this event' },
  types: { type: 'string', valueHint: 'LIST', description: 'Of progress,completed,failed' },
  status: { type: 'string', valueHint: 'LIST', description: 'Of pending,delivered,failed,superseded,closed' },
  origin: { type: 'string', valueHint: 'LIST', description: 'Of event,redeliver,replay,test' },
  bulk: { type: 'string', valueHint: 'ID', description: 'Made by this bulk action' },
  since: { type: 'string', valueHint: 'TIME', description: 'Made since: 2h, 7d, or a date' },
  until: { type: 'string', valueHint: 'TIME', description: 'Made before: 2h, 7d, or a date' }
} as const

function filterOf (args: { [Option in keyof typeof FILTER]?: string | undefined }) {
  return {
    ...(args.webhook && { webhookId: parseInteger('--webhook', args.webhook) }),
    ...(args.job && { jobId: args.job }),
    ...(args.queue && { queue: args.queue }),
    ...(args.event && { eventId: args.event }),
    ...(args.types && { eventType: args.types }),
    ...(args.status && { status: args.status }),
    ...(args.origin && { origin: args.origin }),
    ...(args.bulk && { bulkId: args.bulk }),
    ...(args.since && { from: parseIsoMoment('--since', args.since) }),
    ...(args.until && { to: parseIsoMoment('--until', args.until) })
  }
}

const list = serverCommand({
  name: 'ls',
  description: 'List deliveries to all webhooks, newest first',
  args: {
    ...FILTER,
    limit: LIMIT
  },
  run: async ({ args, client, out, signal }) => {
    const deliveries = client.deliveries.list({ ...filterOf(args), signal })
    out.table(await firstOf(deliveries, limitOf(args)), deliveryColumns, 'no deliveries')
  }
})

const ID = { type: 'positional', required: true, description: 'The id of the delivery' } as const

const get = serverCommand({
  name: 'get',
  description: 'Show a delivery with its payload and attempts',
  args: { id: ID },
  run: async ({ args, client, out, signal }) => {
    const delivery = await client.deliveries.get(parseInteger('ID', args.id), { signal })
    out.value(delivery, () => describeDelivery(delivery))
  }
})

const redeliver = serverCommand({
  name: 'redeliver',
  description: 'Post deliveries once more, each as a delivery of its own',
  args: {
    id: { type: 'positional', required: false, description: 'Ids of deliveries; or options that select deliveries' },
    ...FILTER,
    ...BULK_ARGS
  },
  isVariadic: true,
  run: async ({ args, positionals, client, out, signal }) => {
    const filter = filterOf(args)
    const selects = Object.keys(filter).length > 0
    const hasIds = positionals.length > 0
    if (selects === hasIds) {
      throw new UsageError('redeliver takes the ids of deliveries, or options that select deliveries')
    }
    if (selects) return await runBulk({ client, out, signal }, { action: 'redeliver', filter }, args)
    const ids = positionals.map(text => parseInteger('ID', text))
    for (const id of ids) {
      const made = await client.deliveries.redeliver(id, { signal })
      out.value(made, () => `${made.id} ${made.status}`)
    }
  }
})

export const deliveries = defineCommand({
  meta: { name: 'deliveries', description: 'Show deliveries of webhooks, and post them once more' },
  subCommands: { ls: list, get, redeliver }
})
