import { createPublicKey, type JsonWebKey } from 'node:crypto'
import createError from '@fastify/error'

/** Older keys are fetched again in the background; they stay valid until an unavailable provider answers again. */
const FRESH_MS = 10 * 60_000
/** Minimum time between two fetches: otherwise made-up key ids would flood the provider. */
const COOLDOWN_MS = 30_000
const COOLDOWN_AFTER_FAULT_MS = 2000
const TIMEOUT_MS = 5000
/** A key set has a few keys of less than 2 KiB each. */
const MAX_BYTES = 1024 * 1024

/** Without keys a valid token looks like a forged one: answer 503, since 401 would make users sign in again. */
export const KeysUnavailable = createError(
  'UNAVAILABLE', 'The keys of the identity provider are unavailable; try again', 503
)

type PublishedKey = { kid?: string | undefined, alg?: string | undefined, pem: string }

/** The keys that an identity provider publishes (RFC 7517), as of its last answer. */
export function createKeySet (url: URL) {
  let keys: PublishedKey[] | undefined
  let publishedAt = -Infinity
  let fetchedAt = -Infinity
  let fault: unknown
  let fetching: Promise<void> | undefined

  /**
   * The key for a token's header, as PEM; undefined where there is none. An unknown key id may belong to a new key:
   * then the keys are fetched again.
   * @throws KeysUnavailable where such a key may exist, but the provider does not answer
   */
  async function find (alg: string, kid: string | undefined): Promise<string | undefined> {
    if (keys && performance.now() - publishedAt > FRESH_MS) refetch().catch(() => {}) // the known keys stay valid
    const known = matching(alg, kid)
    if (known) return known
    await refetch()
    const found = matching(alg, kid)
    if (!found && fault) throw Object.assign(new KeysUnavailable(), { cause: fault })
    return found
  }

  function matching (alg: string, kid: string | undefined): string | undefined {
    const fitting = keys?.filter(key => (key.alg === undefined || key.alg === alg) &&
      (kid === undefined || key.kid === kid)) ?? []
    return fitting.length === 1 ? fitting[0]?.pem : undefined
  }

  /** One fetch at a time, for all waiting requests. */
  async function refetch (): Promise<void> {
    const cooldown = fault ? COOLDOWN_AFTER_FAULT_MS : COOLDOWN_MS
    if (!fetching && performance.now() - fetchedAt > cooldown) {
      fetching = fetchKeys().finally(() => { fetching = undefined })
    }
    await fetching
  }

  async function fetchKeys (): Promise<void> {
    fetchedAt = performance.now()
    try {
      keys = await publishedAtUrl(url)
      publishedAt = fetchedAt
      fault = undefined
    } catch (err) {
      fault = err // thrown to requests that need an unknown key
    }
  }

  return { find }
}

async function publishedAtUrl (url: URL): Promise<PublishedKey[]> {
  // No redirects: a redirect to plain http:// could be manipulated in transit.
  const answer = await fetch(
    url, { headers: { accept: 'application/json' }, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) }
  )
  if (!answer.ok) throw new Error(`${url.href} answered ${answer.status}`)
  const { keys } = JSON.parse(await textOf(answer)) as { keys?: unknown }
  const usable = Array.isArray(keys) ? keys.flatMap(readKey) : []
  // A provider without a key would sign everybody out: more likely its deployment is at fault, so the last keys stay.
  if (usable.length === 0) throw new Error(`${url.href} published no key that verifies signatures`)
  return usable
}

async function textOf (answer: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of answer.body ?? []) {
    chunks.push(chunk)
    if ((bytes += chunk.length) > MAX_BYTES) throw new Error(`${answer.url} sent more than ${MAX_BYTES} bytes`)
  }
  return Buffer.concat(chunks).toString()
}

/** Empty for a key that is not public, not for signatures, or of a kind that Node does not know. */
function readKey (jwk: unknown): PublishedKey[] {
  if (typeof jwk !== 'object' || jwk === null) return []
  const { kid, alg, use = 'sig' } = jwk as { kid?: string, alg?: string, use?: string }
  if (use !== 'sig') return []
  try {
    return [{
      kid,
      alg,
      pem: createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString()
    }]
  } catch {
    return []
  }
}
