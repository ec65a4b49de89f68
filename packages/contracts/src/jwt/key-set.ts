import { createPublicKey, type JsonWebKey } from 'node:crypto'
import createError from '@fastify/error'

/** Keys are asked for again after so long, behind the requests; until a provider that is away comes back they hold. */
const FRESH_MS = 10 * 60_000
/** So often at most: else whoever makes up names of keys would have us flood the provider. */
const COOLDOWN_MS = 30_000
const COOLDOWN_AFTER_FAULT_MS = 2000
const TIMEOUT_MS = 5000
/** A key set has a few keys of less than 2 KiB each. */
const MAX_BYTES = 1024 * 1024

/** A good token can't be told from a bad one now, so its user must not be told to sign in anew. */
export const KeysAway = createError('UNAVAILABLE', 'The keys of the identity provider can\'t be had at this moment; try again', 503)

type PublishedKey = { kid?: string | undefined, alg?: string | undefined, pem: string }

export type KeySet = ReturnType<typeof createKeySet>

/** The keys that an identity provider publishes (RFC 7517), as it published them last. */
export function createKeySet (url: URL) {
  let keys: PublishedKey[] | undefined
  let publishedAt = -Infinity
  let askedAt = -Infinity
  let fault: unknown
  let asking: Promise<void> | undefined

  /**
   * The key for a token's header, as PEM; undefined where there is none. A name
   * that is not known may be of a new key: then the provider is asked.
   * @throws KeysAway where it may be there, and can't be asked
   */
  async function find (alg: string, kid: string | undefined): Promise<string | undefined> {
    if (keys && performance.now() - publishedAt > FRESH_MS) askAgain().catch(() => {}) // what is known holds
    const known = matching(alg, kid)
    if (known) return known
    await askAgain()
    const found = matching(alg, kid)
    if (!found && fault) throw Object.assign(new KeysAway(), { cause: fault })
    return found
  }

  function matching (alg: string, kid: string | undefined): string | undefined {
    const fitting = keys?.filter(key => (key.alg === undefined || key.alg === alg) && (kid === undefined || key.kid === kid)) ?? []
    return fitting.length === 1 ? fitting[0]?.pem : undefined
  }

  /** One question at a time, for all who wait. */
  async function askAgain (): Promise<void> {
    const cooldown = fault ? COOLDOWN_AFTER_FAULT_MS : COOLDOWN_MS
    if (!asking && performance.now() - askedAt > cooldown) asking = ask().finally(() => { asking = undefined })
    await asking
  }

  async function ask (): Promise<void> {
    askedAt = performance.now()
    try {
      keys = await publishedAtUrl(url)
      publishedAt = askedAt
      fault = undefined
    } catch (err) {
      fault = err // told to whoever needs a key that is not known
    }
  }

  return { find }
}

async function publishedAtUrl (url: URL): Promise<PublishedKey[]> {
  // No redirects: one to plain http:// could be changed on its way.
  const answer = await fetch(url, { headers: { accept: 'application/json' }, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) })
  if (!answer.ok) throw new Error(`${url.href} was answered ${answer.status}`)
  const { keys } = JSON.parse(await textOf(answer)) as { keys?: unknown }
  const usable = Array.isArray(keys) ? keys.flatMap(readKey) : []
  // A provider without a single key would sign everybody out: more likely a fault of its deployment, so the last keys hold.
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

/** None for what is no public key for signatures, or of a kind that Node does not know: others may be. */
function readKey (jwk: unknown): PublishedKey[] {
  if (typeof jwk !== 'object' || jwk === null) return []
  const { kid, alg, use = 'sig' } = jwk as { kid?: string, alg?: string, use?: string }
  if (use !== 'sig') return []
  try {
    return [{ kid, alg, pem: createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString() }]
  } catch {
    return []
  }
}
