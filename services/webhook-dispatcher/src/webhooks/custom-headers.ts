const MAX_HEADERS = 20
/** Names and values together; many servers, ours included, refuse requests with more than 8 KiB of headers. */
const MAX_BYTES = 4096

/** RFC 9110 §5.6.2 and §5.5, without obs-text: servers disagree about characters beyond ASCII. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/
const VALUE = /^[\t\x20-\x7e]*$/

/** Headers that the dispatcher sets, that belong to the connection, or that a proxy would act on. */
const RESERVED = new Set([
  'host', 'content-length', 'content-type', 'content-encoding', 'transfer-encoding', 'user-agent', 'date',
  'connection', 'keep-alive', 'upgrade', 'te', 'trailer', 'expect', 'http2-settings', 'forwarded', 'via'
])
const RESERVED_PREFIX = /^(webhook-|proxy-|x-forwarded-|sec-)/

/** Why a webhook's own headers can't be sent: pairs of the header's name ('' for all together) and the reason. */
export function headerFaults (headers: Record<string, string>): [name: string, message: string][] {
  const entries = Object.entries(headers)
  const bytes = entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  if (entries.length > MAX_HEADERS) return [['', `must not be more than ${MAX_HEADERS}`]]
  if (bytes > MAX_BYTES) return [['', `must not be longer than ${MAX_BYTES} characters in all`]]
  const names = entries.map(([name]) => name.toLowerCase())
  return entries.flatMap(([name, value], index) => {
    const message = names.indexOf(name.toLowerCase()) < index ? 'is given twice' : faultOf(name, value)
    return message ? [[name, message]] : []
  })
}

function faultOf (name: string, value: string): string | undefined {
  const lower = name.toLowerCase()
  if (!NAME.test(name)) return 'is not a header name'
  if (RESERVED.has(lower) || RESERVED_PREFIX.test(lower)) return 'is reserved'
  return VALUE.test(value) ? undefined : 'must be printable ASCII on one line'
}
