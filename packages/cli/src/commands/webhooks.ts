import { defineCommand } from 'citty'
import type { NewWebhook, Webhook, WebhookStats } from 'tidings'
import { serverCommand } from '../command.ts'
import { UsageError } from '../failure.ts'
import { headersOf } from '../headers.ts'
import { LIMIT, limitOf } from '../limit.ts'
import { firstOf, type Column } from '../output.ts'
import { duration, isEventId, parseInteger, parseIsoMoment, parseMoment, printable } from '../text.ts'
import { deliveryColumns } from './deliveries.ts'
import { listen } from './listen.ts'

const FORMATS = { active: 'green', paused: 'yellow', disabled: 'red' } as const
const columns: Column<Webhook>[] = [
  { title: 'ID', text: ({ id }) => String(id) },
  { title: 'STATUS', text: ({ status }) => status, format: ({ status }) => FORMATS[status] },
  { title: 'EVENTS', text: ({ eventType }) => eventType },
  { title: 'URL', text: ({ url }) => url, width: 80 },
  { title: 'AGE', text: ({ createdAt }) => duration(Date.now() - Date.parse(createdAt)) },
  { title: 'DESCRIPTION', text: ({ description }) => description ?? '' }
]

function describeWebhook (webhook: Webhook & { secret?: string }): string {
  const { id, url, status, disabledReason, eventType, progressMode, description, headers, secret } = webhook
  return [
    `webhook ${id}: ${status}${disabledReason ? ` (${disabledReason})` : ''}`,
    `url ${url}`,
    `events ${eventType}, progress ${progressMode}`,
    `created ${webhook.createdAt}`,
    ...(description ? [`description ${description}`] : []),
    ...Object.entries(headers).map(([name, value]) => `header ${name}: ${value}`),
    ...(secret ? [`secret ${secret}`] : [])
  ].map(printable).join('\n')
}

const ID = { type: 'positional', required: true, description: 'The id of the webhook' } as const
const idOf = (args: { id: string }) => parseInteger('ID', args.id)

const FIELDS = {
  events: { type: 'string', valueHint: 'TYPE', description: 'progress, completed, failed or all' },
  description: { type: 'string', valueHint: 'TEXT', description: 'For people' },
  header: { type: 'string', valueHint: 'NAME:VALUE', description: 'A header of its requests; may be given again' },
  'progress-mode': { type: 'string', valueHint: 'MODE', description: 'all, or latest: older progress is left out' }
} as const

interface Fields {
  events?: string | undefined
  description?: string | undefined
  'progress-mode'?: string | undefined
}

function fieldsOf (args: Fields) {
  const headers = headersOf('header')
  return {
    ...(args.events && { eventType: args.events }),
    ...(args.description && { description: args.description }),
    ...(args['progress-mode'] && { progressMode: args['progress-mode'] }),
    ...(Object.keys(headers).length > 0 && { headers })
  } as Partial<NewWebhook>
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
    const webhook = await client.webhooks.create(
      { eventType: 'completed', ...fieldsOf(args), url: args.endpoint }, { signal }
    )
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
    const change = { ...fieldsOf(args), ...(args.endpoint && { url: args.endpoint }) }
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
  description: 'Post all events since a time once more',
  args: {
    id: ID,
    since: { type: 'string', required: true, valueHint: 'TIME', description: 'As 2h, a date, or an event id' }
  },
  run: async ({ args, client, out, signal }) => {
    const since = isEventId(args.since) ? args.since : parseIsoMoment('--since', args.since)
    const replay = await client.webhooks.replay(idOf(args), { since }, { signal })
    out.value(replay, () => `replay ${replay.id} of webhook ${replay.webhookId}: ${replay.status}`)
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
    deliveries,
    stats,
    listen
  }
})
