import { createHash } from 'node:crypto'
import type { AsyncApiDocument } from '@tidings/contracts/asyncapi'

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { margin: 0 auto; max-width: 60rem; padding: 1rem }
h2 { border-top: 1px solid; margin-top: 2.5rem; padding-top: 1rem }
pre { background: light-dark(#f3f4f6, #1f2937); border-radius: .4rem; overflow: auto; padding: .7rem }
code { font: .9em ui-monospace, monospace }
details { margin: .4rem 0 }
summary { cursor: pointer }
table { border-collapse: collapse; width: 100% }
td, th { border-bottom: 1px solid light-dark(#ddd, #444); padding: .3rem .5rem; text-align: left; vertical-align: top }
`

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')

/** The headers of the page: nothing is loaded, and no script runs. */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none';style-src 'sha256-${STYLE_HASH}';frame-ancestors 'none'`
}

type Ref = { $ref: string }
type Channel = AsyncApiDocument['channels'][string]
type Operation = AsyncApiDocument['operations'][string]
type Message = AsyncApiDocument['components']['messages'][string]

/** An AsyncAPI document as one static page without scripts: channels, operations, messages with examples, schemas. */
export function renderPage (document: AsyncApiDocument): string {
  const { info, channels, components: { messages, schemas } } = document
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(info.title)}</title><style>${STYLE}</style></head><body>
<h1>${escaped(info.title)} <small>${escaped(info.version)}</small></h1>
<p>${inline(info.description)}</p>
<p><a href="/docs">REST API</a> · <a href="/asyncapi.json">AsyncAPI document</a></p>
<nav><ul>
${lines(Object.entries(channels), ([id, { title }]) => `<li><a href="#channel-${escaped(id)}">${escaped(title)}</a></li>`)}
<li><a href="#messages">Messages</a></li><li><a href="#schemas">Schemas</a></li>
</ul></nav>
${lines(Object.entries(channels), ([id, channel]) => channelSection(id, channel, document))}
<h2 id="messages">Messages</h2>
${lines(Object.entries(messages), ([id, message]) => messageSection(id, message))}
<h2 id="schemas">Schemas</h2>
${lines(Object.entries(schemas), ([name, schema]) => `<h3 id="schema-${name}">${name}</h3>${code(schema)}`)}
</body></html>
`
}

function channelSection (id: string, channel: Channel, { operations, servers, components }: AsyncApiDocument) {
  const { title, address, description, servers: at } = channel
  const own = Object.values(operations).filter(({ channel }) => channel.$ref === `#/channels/${id}`)
  const served = at.map(ref => servers[nameOf(ref)] as AsyncApiDocument['servers'][string])
  return `<h2 id="channel-${escaped(id)}">${escaped(title)}</h2>
<p>${inline(description)}</p>
<table>
${address === null ? '' : row('Address', `<code>${escaped(address)}</code>`)}
${lines(served, server => row('Server', `<code>${escaped(server.protocol)}</code>: ${inline(server.description)}`))}
${lines(own, operation => operationRow(operation, components.messages))}
</table>`
}

function operationRow ({ action, summary, messages, reply }: Operation, all: Record<string, Message>): string {
  const link = (ref: Ref) => {
    const id = nameOf(ref)
    return `<a href="#message-${escaped(id)}"><code>${escaped(all[id]?.title ?? id)}</code></a>`
  }
  const answer = reply ? `; answered by ${reply.messages.map(link).join(', ')}` : ''
  const who = action === 'send' ? 'Tidings sends' : 'You send'
  return row(who, `${inline(summary)}${answer}<br>${messages.map(link).join(', ')}`)
}

function messageSection (id: string, { title, summary, payload, headers, examples }: Message): string {
  return `<details id="message-${escaped(id)}"><summary><code>${escaped(title)}</code> ${inline(summary)}</summary>
${headers ? `<p>Headers</p>${code(headers)}` : ''}
<p>Example</p>${lines(examples, example => code(example.payload))}
<p>Schema</p>${code(payload)}</details>`
}

const row = (head: string, cell: string) => `<tr><th>${head}</th><td>${cell}</td></tr>`
const lines = <Item> (items: Item[], render: (item: Item) => string) => items.map(render).join('\n')
const nameOf = ({ $ref }: Ref) => $ref.split('/').at(-1) as string

/** JSON, with links from references to schemas. */
function code (value: unknown): string {
  const text = escaped(JSON.stringify(value, null, 2))
  return `<pre><code>${text.replace(/#\/components\/schemas\/(\w+)/g, '<a href="#schema-$1">$1</a>')}</code></pre>`
}

/** A text with code in backquotes. */
const inline = (text: string) => escaped(text).replace(/`([^`]+)`/g, '<code>$1</code>')

function escaped (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
