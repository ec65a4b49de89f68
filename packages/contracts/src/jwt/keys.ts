import { createKeySet } from './key-set.ts'
import type { JwtSettings } from './settings.ts'

const ASYMMETRIC = [
  'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'
] as const

export type SupportedAlgorithm = 'HS256' | typeof ASYMMETRIC[number]
type TokenHeader = { alg?: string, kid?: string }

/** The algorithms that these settings allow; never `none`. */
export function allowedAlgorithms ({ TOKEN_SECRET, JWKS_URL }: JwtSettings): SupportedAlgorithm[] {
  return [...(TOKEN_SECRET ? ['HS256' as const] : []), ...(JWKS_URL ? ASYMMETRIC : [])]
}

/**
 * Finds the key for a token's header: HS256 uses only TOKEN_SECRET, the other algorithms only keys from JWKS_URL, so
 * that a public key is never taken for a secret.
 */
export function keyFinder ({ TOKEN_SECRET, JWKS_URL }: JwtSettings) {
  const published = JWKS_URL ? createKeySet(new URL(JWKS_URL)) : undefined

  return async function findKey ({ alg, kid }: TokenHeader): Promise<string> {
    if (alg === 'HS256' && TOKEN_SECRET) return TOKEN_SECRET
    const key = published && alg !== undefined && (ASYMMETRIC as readonly string[]).includes(alg)
      ? await published.find(alg, kid)
      : undefined
    if (key) return key
    throw new Error(`No key for algorithm ${alg ?? 'unknown'}`)
  }
}
