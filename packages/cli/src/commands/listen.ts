import type { Client } from 'tidings'
import { serverCommand } from '../command.ts'
import { parseFrame } from '../exact-json.ts'
import { UsageError } from '../failure.ts'
import { headersOf } from '../headers.ts'
import { createForwarder, type Forwarded } from '../listen/forward.ts'
import { POSTED_TYPES, webhookBody, type PostedEvent } from '../listen/message.ts'
import { placeOf } from '../listen/place.ts'
import { checkSecret } from '../listen/sign.ts'
import type { Output } from '../output.ts'
import { parseEventId, parseInteger, parseList, printable } from '../text.ts'

export const listen = serverCommand({
  name: 'listen',
  description: 'Post the events of your jobs to a server on this machine, as webhooks do; nothing is needed in between',
  parse: parseFrame,
  args: {
    'forward-to': { type: 'string', required: true, valueHint: 'URL', description: 'As http://localhost:3000/hook' },
    events: { type: 'string', valueHint: 'LIST', description: 'Of progress,completed,failed; all by default' },
    webhook: { type: 'string', valueHint: 'ID', description: 'With the secret of this webhook, and what it receives' },
    secret: { type: 'string', valueHint: 'SECRET', description: 'By default one that is made at the first run' },
    'print-secret': { type: 'boolean', description: 'Print the secret and end' },
    header: { type: 'string', valueHint: 'NAME:VALUE', description: 'One more header; may be given again' },
    since: { type: 'string', valueHint: 'EVENT', description: 'Begin after this event, not where the last run ended' },
    retry: { type: 'boolean', description: 'After a failure try again after 1, 10 and 60 s, as production' }
  },
  run: async ({ args, client, settings, out, signal }) => {
    const forwardTo = checkReceiver(args['forward-to'])
    const { userId } = settings.user === undefined ? await client.me({ signal }) : { userId: settings.user }
    const place = placeOf(settings.url, userId, forwardTo)
    const last = await place.read()
    const webhook = args.webhook === undefined ? undefined : await readWebhook(client, args.webhook, signal)
    const secret = args.secret === undefined ? webhook?.secret ?? last.secret : checkSecret(args.secret)
    await place.write({ ...last, secret })
    if (args['print-secret']) return out.value({ secret }, () => secret)

    const types = typesOf(args.events) ?? webhook?.types ?? POSTED_TYPES
    const events = client.events({
      since: args.since === undefined ? last.cursor : parseEventId('--since', args.since),
      signal,
      onStatus: ({ state, reason }) => { if (state === 'recovering') out.note(`reconnecting: ${reason ?? ''}`) }
    })
    let current: PostedEvent | undefined
    const forward = createForwarder({
      url: forwardTo,
      secret,
      headers: headersOf('header'),
      retry: args.retry === true,
      signal,
      onAttempt: attempted => { if (current) showAttempt(current, attempted, out) },
      onAbsent: () => out.note(`nothing listens at ${forwardTo}: waiting for it`)
    })
    out.note(`events of user ${userId} go to ${forwardTo}, signed with ${secret}`)
    if (last.cursor) out.note(`first what happened since the last run, after ${last.cursor}`)
    events.ready().then(() => out.note('ready'), () => {}) // the loop gets the same error
    for await (const event of events) {
      if (event.type === 'gap') out.note(`events after ${event.from} up to ${event.to} are not held any more`)
      else if (event.type !== 'state' && types.includes(event.type) && (!webhook || webhook.takes(event))) {
        current = event
        await forward(event.eventId, webhookBody(event))
      }
      const cursor = event.type === 'gap' ? event.to : event.eventId
      await place.write({ secret, cursor })
    }
  }
})

function showAttempt (event: PostedEvent, { attempt, status, error, ms }: Forwarded, out: Output): void {
  const { eventId, type, name, jobId } = event
  out.value({ eventId, type, jobId, attempt, status: status ?? null, error, ms }, () => {
    const outcome = out.style(status !== undefined && status < 300 ? 'green' : 'red', String(status ?? error))
    const rest = printable(`${type}  ${name}  ${jobId}  ${eventId}  attempt ${attempt}  ${ms} ms`)
    return `${new Date().toISOString()}  ${outcome}  ${rest}`
  })
}

/** What a webhook receives, and its secret. */
async function readWebhook (client: Client, text: string, signal: AbortSignal) {
  const id = parseInteger('--webhook', text)
  const { eventTypes: types, filter: { queues, names } } = await client.webhooks.get(id, { signal })
  const takes = ({ queue, name }: PostedEvent) =>
    (!queues || queues.includes(queue)) && (!names || names.includes(name))
  return { types, takes, secret: await client.webhooks.secret(id, { signal }) }
}

function typesOf (list: string | undefined): PostedEvent['type'][] | undefined {
  if (list === undefined) return undefined
  const types = parseList(list)
  const unknown = types.find(type => !(POSTED_TYPES as string[]).includes(type))
  if (unknown === undefined && types.length > 0) return types as PostedEvent['type'][]
  throw new UsageError(`--events takes a list of ${POSTED_TYPES.join(', ')}, not ${unknown ?? 'nothing'}`)
}

function checkReceiver (text: string): string {
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`
  if (URL.canParse(withScheme) && /^https?:$/.test(new URL(withScheme).protocol)) return new URL(withScheme).href
  throw new UsageError(`--forward-to takes a URL such as http://localhost:3000/hook, not ${text}`)
}
