import { connectRaw, type RawResponse, type TestContext, until } from '@tidings/testing'
import type { Row } from './table.ts'

/** The response to a row at an address, without the parts that differ each time. */
export interface Answer {
  status: number | undefined
  headers: Record<string, string | undefined>
  body: string
  /** Whether a second request on the connection is answered. */
  staysOpen: boolean
}

const COMPARED = [
  'content-type',
  'content-encoding',
  'content-length',
  'etag',
  'location',
  'allow',
  'cache-control',
  'www-authenticate',
  'retry-after',
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-expose-headers',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-max-age',
  'x-content-type-options',
  'x-frame-options'
]
const VARIES: [RegExp, string][] = [
  [/urn:request:[^"]+/g, 'urn:request:…'],
  [/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<id>'],
  [/"ticket":"[^"]+"/g, '"ticket":"…"'],
  [/"sid":"[^"]+"/g, '"sid":"…"'],
  [/\b1[6-9]\d{11}\b/g, '<ms>'],
  [/"(detail|title)":"[^"]*"/g, '"$1":"…"']
]

export async function ask (t: TestContext, origin: string, row: Row): Promise<Answer> {
  const client = await connectRaw(t, origin)
  for (const part of [row.send].flat()) {
    client.send(part)
    if (row.waits && client.interim.length === 0) {
      await until(() => client.rest().startsWith('HTTP/1.1 100 '), { what: 'the 100 Continue' })
    }
  }
  if (row.halfClose) client.halfClose()
  const response = await client.response(row.method)
  const staysOpen = response !== undefined && await isOpen(client)
  client.socket.destroy()
  return { status: response?.status, headers: headersOf(response), body: bodyOf(response), staysOpen }
}

async function isOpen (client: Awaited<ReturnType<typeof connectRaw>>): Promise<boolean> {
  if (client.socket.writableEnded) return false
  client.send('GET /jobs/probe HTTP/1.1\r\nHost: tidings.test\r\n\r\n')
  return await client.response() !== undefined
}

function headersOf (response: RawResponse | undefined): Record<string, string | undefined> {
  if (response === undefined) return {}
  return Object.fromEntries(COMPARED.map(name => {
    // A 204 has no body and so no length; Safari needs the header in a preflight response.
    const value = response.status === 204 && name === 'content-length' ? undefined : response.header(name)
    // The length may differ, since bodies differ in ids and wording.
    return [name, name === 'content-length' && value !== undefined
      ? 'some'
      : name === 'location' ? value?.replace(/[0-9a-f-]{36}/, '<id>') : value]
  }).filter(([, value]) => value !== undefined))
}

function bodyOf (response: RawResponse | undefined): string {
  const body = response?.body ?? ''
  return VARIES.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), body) +
    (response?.isWhole === false ? ' (cut short)' : '')
}
