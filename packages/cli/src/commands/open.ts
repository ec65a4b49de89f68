import { openInBrowser } from '../browser.ts'
import { CONNECTION_ARGS, localCommand } from '../command.ts'
import { UsageError } from '../failure.ts'
import { readSettings } from '../settings.ts'
import { parseInteger } from '../text.ts'

const { url, profile, user } = CONNECTION_ARGS

export const open = localCommand({
  name: 'open',
  description: 'Open the dashboard in the browser and print its address; the page has a sign-in of its own',
  args: {
    page: {
      type: 'positional',
      required: false,
      description: 'jobs, jobs/ID, webhooks, webhooks/ID, deliveries, deliveries/ID or operators'
    },
    queue: { type: 'string', valueHint: 'NAME', description: 'Of this queue, where the id of a job is in several' },
    base: { type: 'string', valueHint: 'PATH', default: '/dashboard/', description: 'Where it is, below the server' },
    print: { type: 'boolean', description: 'Only print the address' },
    url,
    profile,
    user
  },
  run: async ({ args, out }) => {
    const { url, user } = await readSettings(args)
    const path = pageOf(args.page ?? '', user)
    const query = args.queue === undefined ? '' : `?queue=${encodeURIComponent(args.queue)}`
    const base = args.base.replace(/^\/+|\/+$/g, '')
    const address = `${url}/${base && `${base}/`}${path}${query}`
    const opened = !args.print && await openInBrowser(address)
    out.value({ url: address, opened }, () => address)
    if (opened) out.note('Where it asks for a token: tidings token prints one')
    else if (!args.print) out.note('There is no browser here')
  }
})

/** The path of a page in the dashboard. */
function pageOf (text: string, user: string | undefined): string {
  const [, kind = '', id = ''] = /^([^/]*)(?:\/(.+))?$/s.exec(text.replace(/^\/|\/$/g, '')) ?? []
  const page = kind === '' ? '' : `${kind}${id && `/${idOf(kind, id)}`}`
  const isPage = ['', 'jobs', 'webhooks', 'deliveries'].includes(kind) || page === 'operators'
  if (!isPage) throw new UsageError(`There is no page ${text}: jobs, webhooks, deliveries, each with /ID or without, or operators`)
  return user === undefined || kind === 'operators' ? page : `as/${encodeURIComponent(user)}/${page}`
}

function idOf (kind: string, id: string): string {
  if (kind === 'jobs') return encodeURIComponent(id)
  return String(parseInteger('The id', id))
}
