import { createPublicKey } from 'node:crypto'
import buildGetJwks from 'get-jwks'
import type { JwtSettings } from './settings.ts'

export type SupportedAlgorithm = 'HS256' | 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA'
type TokenHeader = { alg?: string, kid?: string }

const ASYMMETRIC: SupportedAlgorithm[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
const MAX_KEYS = 100
const KEY_TTL_MS = 10 * 60_000

/** The algorithms that these settings allow; `none` never is one. */
export function allowedAlgorithms ({ TOKEN_SECRET, JWKS_URL }: JwtSettings): SupportedAlgorithm[] {
  return [...(TOKEN_SECRET ? ['HS256' as const] : []), ...(JWKS_URL ? ASYMMETRIC : [])]
}

/**
 * Finds the key for a token's header: HS256 only ever meets TOKEN_SECRET, the
 * others only keys from JWKS_URL, so that no token can have a public key taken
 * for a secret.
 */
export function keyFinder ({ TOKEN_SECRET, JWKS_URL }: JwtSettings) {
  const findPublicKey = JWKS_URL ? publicKeyFinder(new URL(JWKS_URL)) : undefined

  return async function findKey ({ alg, kid }: TokenHeader): Promise<string> {
    if (alg === 'HS256' && TOKEN_SECRET) return TOKEN_SECRET
    if (findPublicKey && (ASYMMETRIC as unknown[]).includes(alg)) return await findPublicKey(alg as string, kid)
    throw new Error(`No key for algorithm ${alg ?? 'unknown'}`)
  }
}

function publicKeyFinder (url: URL) {
  const jwks = buildGetJwks({ max: MAX_KEYS, ttl: KEY_TTL_MS, jwksPath: url.pathname + url.search })

  return async (alg: string, kid: string | undefined) => {
    const jwk = await jwks.getJwk({ domain: url.origin, alg, kid: kid ?? '' })
    // Not get-jwks' own PEM: its converter knows no Ed25519 keys.
    return createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString()
  }
}
