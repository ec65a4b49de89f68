import { createKeySet } from './key-set.ts'
import type { JwtSettings } from './settings.ts'

export type SupportedAlgorithm = 'HS256' | 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512' | 'EdDSA'
type TokenHeader = { alg?: string, kid?: string }

const ASYMMETRIC: SupportedAlgorithm[] = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']

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
  const published = JWKS_URL ? createKeySet(new URL(JWKS_URL)) : undefined

  return async function findKey ({ alg, kid }: TokenHeader): Promise<string> {
    if (alg === 'HS256' && TOKEN_SECRET) return TOKEN_SECRET
    const key = published && alg !== undefined && (ASYMMETRIC as string[]).includes(alg) ? await published.find(alg, kid) : undefined
    if (key) return key
    throw new Error(`No key for algorithm ${alg ?? 'unknown'}`)
  }
}
