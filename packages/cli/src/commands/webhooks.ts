import { defineCommand } from 'citty'
import type { NewReplay, NewWebhook, ReplaySummary, Webhook, WebhookStats } from 'tidings'
import { serverCommand } from '../command.ts'
import { UsageError } from '../failure.ts'
import { headersOf } from '../headers.ts'
import { describeHealth, healthFormat, healthText } from '../health-text.ts'
import { LIMIT, limitOf } from '../limit.ts'
import { firstOf, type Column } from '../output.ts'
import { BULK_ARGS } from '../run-bulk.ts'
import { duration, isEventId, parseInteger, parseIsoMoment, parseList, parseMoment, printable } from '../text.ts'
import { deliveryColumns } from './deliveries.ts'
import { listen } from './listen.ts'

const FORMATS = { active: 'green', paused: 'yellow', disabled: 'red' } as const
const columns: Column<Webhook>[] = [
  { title: 'ID', text: ({ id }) => String(id) },
  { title: 'STATUS', text: ({ status }) => status, format: ({ status }) => FORMATS[status] },
  { title: 'EVENTS', text: typesText },
  { title: 'ENDPOINT', text: ({ health }) => healthText(health), format: ({ health }) => healthFormat(health) },
  { title: 'URL', text: ({ url }) => url, width: 80 },
  { title: 'AGE', text: ({ createdAt }) => duration(Date.now() - Date.parse(createdAt)) },
  { title: 'DESCRIPTION', text: ({ description }) => description ?? '' }
]

function typesText ({ eventType, eventTypes }: Webhook): string {
  return eventType === 'all' ? eventType : eventTypes.join(',')
}

function describeWebhook (webhook: Webhook & { secret?: string }): string {
  const { id, url, status, disabledReason, progressMode, filter, description, headers, secret } = webhook
  return [
    `webhook ${id}: ${status}${disabledReason ? ` (${disabledReason})` : ''}`,
    `url ${url}`,
    ...describeHealth(webhook),
    `events ${typesText(webhook)}, progress ${progressMode}`,
    ...Object.entries(filter).map(([name, values]) => `${name} ${values.join(', ')}`),
    `created ${webhook.createdAt}`,
    ...(description ? [`description ${description}`] : []),
    ...Object.entries(headers).map(([name, value]) => `header ${name}: ${value}`),
    ...(secret ? [`secret ${secret}`] : [])
  ].map(printable).join('\n')
}

const ID = { type: 'positional', required: true, description: 'The id of the webhook' } as const
const idOf = (args: { id: string }) => parseInteger('ID', args.id)

const FIELDS = {
  events: { type: 'string', valueHint: 'LIST', description: 'Of progress,completed,failed; or all' },
  queues: { type: 'string', valueHint: 'LIST', description: 'Only of jobs in these queues; --queues= for any' },
  names: { type: 'string', valueHint: 'LIST', description: 'Only of jobs with these names; --names= for any' },
  description: { type: 'string', valueHint: 'TEXT', description: 'For people' },
  header: { type: 'string', valueHint: 'NAME:VALUE', description: 'A header of its requests; may be given again' },
  'progress-mode': { type: 'string', valueHint: 'MODE', description: 'all, or latest: older progress is left out' }
} as const

interface Fields {
  events?: string | undefined
  queues?: string | undefined
  names?: string | undefined
  description?: string | undefined
  'progress-mode'?: string | undefined
}

function fieldsOf (args: Fields, before: WebhookFilter = {}) {
  const headers = headersOf('header')
  const { events, queues, names } = args
  return {
    ...(events && (events === 'all' ? { eventType: events } : { eventTypes: parseList(events) })),
    ...((queues ?? names) !== undefined && { filter: filterOf({ queues, names }, before) }),
    ...(args.description && { description: args.description }),
    ...(args['progress-mode'] && { progressMode: args['progress-mode'] }),
    ...(Object.keys(headers).length > 0 && { headers })
  } as Partial<NewWebhook>
}

type WebhookFilter = Webhook['filter']

/** The lists that are given take the place of those before; an empty one limits nothing. */
function filterOf (given: { queues: string | undefined, names: string | undefined }, before: WebhookFilter) {
  const lists = Object.entries(given).map(([name, list]) =>
    [name, list === undefined ? before[name as keyof WebhookFilter] ?? [] : parseList(list)] as const)
  return Object.fromEntries(lists.filter(([, values]) => values.length > 0))
}

const list = serverCommand({
  name: 'ls',
  description: 'List the webhooks',
  run: async ({ client, out, signal }) => out.table(await client.webhooks.list({ signal }), columns, 'no webhooks')
})

const create = serverCommand({
  name: 'create',
  description: 'Create a webhook and print its secret',
  args: {
    endpoint: { type: 'positional', required: true, description: 'The URL that events are posted to' },
    ...FIELDS
  },
  run: async ({ args, client, out, signal }) => {
    const fields = fieldsOf({ ...args, events: args.events ?? 'completed' })
    const webhook = await client.webhooks.create({ ...fields, url: args.endpoint }, { signal })
    out.value(webhook, () => describeWebhook(webhook))
  }
})

const get = serverCommand({
  name: 'get',
  description: 'Show a webhook',
  args: { id: ID },
  run: async ({ args, client, out, signal }) => {
    const webhook = await client.webhooks.get(idOf(args), { signal })
    out.value(webhook, () => describeWebhook(webhook))
  }
})

const update = serverCommand({
  name: 'update',
  description: 'Change a webhook',
  args: {
    id: ID,
    endpoint: { type: 'string', valueHint: 'URL', description: 'The URL that events are posted to' },
    ...FIELDS
  },
  run: async ({ args, client, out, signal }) => {
    // Of a filter that is changed in part, the other part stays.
    const isPart = (args.queues === undefined) !== (args.names === undefined)
    const { filter } = isPart ? await client.webhooks.get(idOf(args), { signal }) : {}
    const change = { ...fieldsOf(args, filter), ...(args.endpoint && { url: args.endpoint }) }
    if (Object.keys(change).length === 0) throw new UsageError('update takes at least one change')
    const webhook = await client.webhooks.update(idOf(args), change, { signal })
    out.value(webhook, () => describeWebhook(webhook))
  }
})

/** A command that makes the webhook active, or not. */
function activation (name: string, description: string, active: boolean) {
  return serverCommand({
    name,
    description,
    args: { id: ID },
    run: async ({ args, client, out, signal }) => {
      const webhook = await client.webhooks.update(idOf(args), { active }, { signal })
      out.value(webhook, () => `webhook ${webhook.id} is ${webhook.status}`)
    }
  })
}

const remove = serverCommand({
  name: 'rm',
  description: 'Delete a webhook; its deliveries stay visible',
  args: { id: ID },
  run: async ({ args, client, out, signal }) => {
    await client.webhooks.delete(idOf(args), { signal })
    out.value({ id: idOf(args), deleted: true }, () => `webhook ${args.id} is deleted`)
  }
})

const secret = serverCommand({
  name: 'secret',
  description: 'Print the secret that verifies the deliveries',
  args: { id: ID },
  run: async ({ args, client, out, signal }) => {
    const secret = await client.webhooks.secret(idOf(args), { signal })
    out.value({ secret }, () => secret)
  }
})

const rotate = serverCommand({
  name: 'rotate-secret',
  description: 'Make a new secret and print it; the old one signs as well for 24 hours',
  args: { id: ID },
  run: async ({ args, client, out, signal }) => {
    const secret = await client.webhooks.rotateSecret(idOf(args), { signal })
    out.value({ secret }, () => secret)
  }
})

const test = serverCommand({
  name: 'test',
  description: 'Post a sample event and show what became of it',
  args: { id: ID },
  run: async ({ args, client, out, signal }) => {
    const delivery = await client.webhooks.test(idOf(args), { signal })
    out.table([delivery], deliveryColumns, '')
  }
})

const replay = serverCommand({
  name: 'replay',
  description: 'Post the events of some time once more',
  args: {
    id: ID,
    since: { type: 'string', required: true, valueHint: 'TIME', description: 'From: 2h, a date, or an event id' },
    until: { type: 'string', valueHint: 'TIME', description: 'Up to: the same; the newest event by default' },
    status: { type: 'string', valueHint: 'STATUS', description: 'failed: only those that have not been delivered' },
    types: { type: 'string', valueHint: 'LIST', description: 'Of progress,completed,failed' },
    'dry-run': BULK_ARGS['dry-run']
  },
  run: async ({ args, client, out, signal }) => {
    const request = {
      since: placeOf('--since', args.since),
      ...(args.until && { until: placeOf('--until', args.until) }),
      ...(args.status && { status: args.status }),
      ...(args.types && { eventTypes: parseList(args.types) })
    } as NewReplay
    if (args['dry-run']) {
      const matches = await client.webhooks.replay(idOf(args), { ...request, dryRun: true }, { signal })
      return out.value(matches, () => `${matches.matched}${matches.matchedIsCapped ? ' or more' : ''} match`)
    }
    const replay = await client.webhooks.replay(idOf(args), { ...request, dryRun: false }, { signal })
    out.value(replay, () => `replay ${replay.id} of webhook ${replay.webhookId}: ${replay.status}`)
  }
})

const placeOf = (option: string, text: string): string => isEventId(text) ? text : parseIsoMoment(option, text)

const replayColumns: Column<ReplaySummary>[] = [
  { title: 'ID', text: ({ id }) => String(id) },
  { title: 'STATUS', text: ({ status }) => status },
  { title: 'SINCE', text: ({ conditions: { since = '' } }) => since },
  { title: 'UNTIL', text: ({ conditions: { until = '' } }) => until },
  { title: 'DELIVERIES', text: ({ deliveries }) => String(deliveries) },
  { title: 'AGE', text: ({ createdAt }) => duration(Date.now() - Date.parse(createdAt)) }
]

const replays = serverCommand({
  name: 'replays',
  description: 'List the replays of a webhook, newest first',
  args: { id: ID, limit: LIMIT },
  run: async ({ args, client, out, signal }) => {
    const replays = client.webhooks.replays(idOf(args), { signal })
    out.table(await firstOf(replays, limitOf(args)), replayColumns, 'no replays')
  }
})

const deliveries = serverCommand({
  name: 'deliveries',
  description: 'List the deliveries of a webhook, newest first',
  args: {
    id: ID,
    status: { type: 'string', valueHint: 'STATUS', description: 'pending, delivered, failed, superseded or closed' },
    limit: LIMIT
  },
  run: async ({ args, client, out, signal }) => {
    const limit = limitOf(args)
    const query = { status: args.status, signal } as Parameters<typeof client.webhooks.deliveries>[1]
    out.table(await firstOf(client.webhooks.deliveries(idOf(args), query), limit), deliveryColumns, 'no deliveries')
  }
})

const stats = serverCommand({
  name: 'stats',
  description: 'Count the deliveries of a webhook by outcome, with their latency, over time',
  args: {
    id: ID,
    since: { type: 'string', valueHint: 'TIME', description: 'From: 2h, 7d, or a date; the last 24 hours by default' },
    until: { type: 'string', valueHint: 'TIME', description: 'Up to: 2h, 7d, or a date' }
  },
  run: async ({ args, client, out, signal }) => {
    const stats = await client.webhooks.stats(idOf(args), {
      ...(args.since && { from: parseMoment('--since', args.since) }),
      ...(args.until && { to: parseMoment('--until', args.until) }),
      signal
    })
    if (out.json) return out.value(stats, () => '')
    const used = stats.buckets.filter(({ attempts, pending, delivered }) => attempts + pending + delivered > 0)
    out.table([...used, { from: 'total', ...stats.total }], statsColumns, '')
  }
})

const statsColumns: Column<WebhookStats['total'] & { from: number | 'total' }>[] = [
  { title: 'START', text: ({ from }) => from === 'total' ? from : new Date(from).toISOString() },
  ...(['delivered', 'failed', 'pending', 'superseded', 'closed', 'attempts'] as const).map(name => ({
    title: name.toUpperCase(), text: (counts: WebhookStats['total']) => String(counts[name])
  })),
  { title: 'P50', text: ({ latencyMs: { p50 } }) => p50 === null ? '' : duration(p50) },
  { title: 'P95', text: ({ latencyMs: { p95 } }) => p95 === null ? '' : duration(p95) }
]

export const webhooks = defineCommand({
  meta: { name: 'webhooks', description: 'Manage webhooks, and receive them on this machine' },
  subCommands: {
    ls: list,
    create,
    get,
    update,
    pause: activation('pause', 'Post nothing until it is resumed; what waits is kept', false),
    resume: activation('resume', 'Make a paused or disabled webhook active again', true),
    rm: remove,
    secret,
    'rotate-secret': rotate,
    test,
    replay,
    replays,
    deliveries,
    stats,
    listen
  }
})
