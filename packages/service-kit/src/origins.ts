/** An entry of CORS_ORIGIN: the origin as browsers send it, `*`, or why it cannot match any. */
type Entry = { origin: string } | { fault: string }

const HOST = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\\\s]+\/?$/i

/** Reads a list of origins, separated by commas. Each is converted to the form in which browsers send it. */
export function readOrigins (text: string): { origins: string[], faults: string[] } {
  const entries = text.split(',').map(entry => entry.trim()).filter(Boolean).map(readOrigin)
  return {
    origins: [...new Set(entries.flatMap(entry => 'origin' in entry ? [entry.origin] : []))],
    faults: entries.flatMap(entry => 'fault' in entry ? [entry.fault] : [])
  }
}

/**
 * The origin of a request or a setting in its canonical form (RFC 6454): no path, lower case, no default port.
 * Undefined for other texts, and for `null`: every sandboxed page has that origin.
 */
function canonicalOrigin (text: string): string | undefined {
  if (!HOST.test(text) || !URL.canParse(text)) return undefined
  const { origin, protocol, host } = new URL(text)
  // URL knows the origins of web schemes only; an app's page has an origin such as capacitor://localhost.
  return origin === 'null' ? `${protocol}//${host.toLowerCase()}` : origin
}

function readOrigin (text: string): Entry {
  if (text === '*') return { origin: text }
  if (text.includes('*')) {
    return { fault: `"${text}": a * inside an origin matches nothing; name each origin, or * alone` }
  }
  const origin = canonicalOrigin(text)
  return origin === undefined
    ? { fault: `"${text}" is not an origin: write scheme, host and port alone, as in https://app.example.com:8443` }
    : { origin }
}
