import { createVerifier, TokenError } from 'fast-jwt'
import { LRUCache } from 'lru-cache'
import { userIdFault, userIdText } from '../user-id.ts'
import { readIssuedAt } from './issued-at.ts'
import { KeysUnavailable } from './key-set.ts'
import { allowedAlgorithms, keyFinder } from './keys.ts'
import { scopeBits, scopesOf, type Scope } from './scopes.ts'
import { clockToleranceMs, type JwtSettings } from './settings.ts'

/**
 * The user and rights of a token. Times in milliseconds since 1970. A refreshed token counts as issued when its user
 * signed in: otherwise a revoked user would return with a refresh. `expiresAt` is the token's claim, `acceptedUntil`
 * the same plus the clock tolerance; both are null for a token that never expires.
 */
export type Identity = Readonly<{
  userId: string
  issuedAt: number | null
  expiresAt: number | null
  acceptedUntil: number | null
  scopes: readonly Scope[]
  /** The scopes as bits (`scopeBits`), computed once for all requests with this token. */
  scopeBits: number
}>

/**
 * Whether a revocation voids a token: the token was issued before that moment (seconds since 1970). A token without a
 * time of issue counts as older than any revocation.
 */
export function isIssuedBefore ({ issuedAt }: Pick<Identity, 'issuedAt'>, notBefore: number): boolean {
  return issuedAt === null || issuedAt < notBefore * 1000
}

export type TokenFault = 'token_missing' | 'token_invalid' | 'token_expired'

/** Why a token was refused; clients see `code`, `message` describes the fault without the token. */
export class TokenRefused extends Error {
  readonly code: TokenFault

  constructor (code: TokenFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'TokenRefused'
    this.code = code
  }
}

/**
 * Synchronous for a cached token: most are, and a promise for each would be a large part of the cost of a look-up.
 * @throws TokenRefused
 */
export type VerifyToken = (token: string | undefined) => Identity | Promise<Identity>

type Claims = {
  userId?: unknown, sub?: unknown, type?: unknown, iat?: unknown, signedInAt?: unknown, exp?: number, scope?: unknown
}

/** The last time that a date can have, in milliseconds. */
const LAST_MOMENT = 8.64e15

/** Verified tokens are cached, never past `exp`: a verification costs 40 µs, a look-up nearly nothing. */
const MAX_CACHED = 10_000
const CACHE_TTL_MS = 600_000
/** The precision of that: with the default of 1 ms the cache would set a timer in each millisecond. */
const CACHE_RESOLUTION_MS = 1000

/**
 * Verifies access tokens; REST, Socket.IO, WebSocket and SSE all go through this one function.
 * @throws TokenRefused
 */
export function createTokenVerifier (settings: JwtSettings): VerifyToken {
  const findKey = keyFinder(settings)
  const toleranceMs = clockToleranceMs(settings)
  const verify = createVerifier({
    key: ({ header }: { header: { alg?: string, kid?: string } }) => findKey(header),
    algorithms: allowedAlgorithms(settings),
    // The library's own cache hashes the token on each look-up (4 µs).
    cache: false,
    clockTolerance: toleranceMs,
    ...(settings.JWT_ISSUER && { allowedIss: settings.JWT_ISSUER }),
    ...(settings.JWT_AUDIENCE && { allowedAud: settings.JWT_AUDIENCE }),
    requiredClaims: requiredClaims(settings)
  }) as (token: string) => Promise<Claims>

  const cache = new LRUCache<string, Identity>(
    { max: MAX_CACHED, ttl: CACHE_TTL_MS, ttlResolution: CACHE_RESOLUTION_MS }
  )

  return function verifyToken (token) {
    if (!token) throw new TokenRefused('token_missing', 'The request has no token')
    const known = cache.get(token)
    return known && (known.acceptedUntil === null || known.acceptedUntil > Date.now()) ? known : verifyAndCache(token)
  }

  async function verifyAndCache (token: string): Promise<Identity> {
    const identity = identityOf(await verify(token).catch(refuse), toleranceMs)
    cache.set(token, identity)
    return identity
  }
}

function requiredClaims ({ JWT_REQUIRE_EXP, JWT_ISSUER, JWT_AUDIENCE }: JwtSettings): string[] {
  // fast-jwt checks iss and aud only where a token has them; a token without them must not pass.
  return [...(JWT_REQUIRE_EXP ? ['exp'] : []), ...(JWT_ISSUER ? ['iss'] : []), ...(JWT_AUDIENCE ? ['aud'] : [])]
}

function refuse (cause: unknown): never {
  if (!(cause instanceof TokenError)) throw cause
  if (cause.originalError instanceof KeysUnavailable) throw cause.originalError
  if (cause.code === TokenError.codes.expired) {
    throw new TokenRefused('token_expired', 'The token has expired', { cause })
  }
  const isEarly = cause.code === TokenError.codes.inactive
  throw new TokenRefused('token_invalid', isEarly ? 'The token is not valid yet' : 'The token is not valid', { cause })
}

function identityOf ({ userId: claim, sub, type, iat, signedInAt, exp, scope }: Claims, toleranceMs: number): Identity {
  if (type === 'refresh') throw new TokenRefused('token_invalid', 'A refresh token is not an access token')
  const userId = userIdText(claim ?? sub)
  if (userId === undefined) throw new TokenRefused('token_invalid', userIdFault(claim ?? sub))
  const expiresAt = exp === undefined ? null : Math.floor(exp * 1000)
  if (expiresAt !== null && !(Math.abs(expiresAt) <= LAST_MOMENT)) {
    throw new TokenRefused('token_invalid', 'Claim exp is not a time')
  }
  const { issuedAt, fault } = readIssuedAt({ iat, signedInAt }, toleranceMs)
  if (fault !== undefined) throw new TokenRefused('token_invalid', fault)
  const scopes = scopesOf(scope)
  return {
    userId,
    issuedAt,
    expiresAt,
    acceptedUntil: expiresAt === null ? null : expiresAt + toleranceMs,
    scopes,
    scopeBits: scopeBits(scopes)
  }
}
