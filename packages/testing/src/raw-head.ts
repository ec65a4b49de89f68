export interface RawHead {
  version: string
  status: number
  reason: string
  /** As they came, in their order. */
  headers: [name: string, value: string][]
  /** The value of a header, of repeated ones joined by commas; undefined when there is none. */
  header: (name: string) => string | undefined
}

/** The status line and the headers of a response. */
export function parseHead (text: string): RawHead {
  const [statusLine = '', ...lines] = text.split('\r\n')
  const [, version, status, reason] = /^HTTP\/(\d\.\d) (\d{3}) ?(.*)$/.exec(statusLine) ?? []
  if (version === undefined) throw new Error(`not the head of a response: ${JSON.stringify(text)}`)
  const headers = lines.map(line => [
    line.slice(0, line.indexOf(':')),
    line.slice(line.indexOf(':') + 1).trim()
  ] as [string, string])
  return {
    version,
    status: Number(status),
    reason: reason ?? '',
    headers,
    header: name => {
      const values = headers.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value)
      return values.length === 0 ? undefined : values.join(', ')
    }
  }
}
