import { Type, type Static } from 'typebox'

/** The variables by which every service verifies tokens. TOKEN_SECRET or JWKS_URL must be set. */
export const jwtSettings = {
  TOKEN_SECRET: Type.Optional(Type.String({ minLength: 1, description: 'Secret of HS256 access tokens' })),
  JWKS_URL: Type.Optional(
    Type.String({ format: 'url', description: 'URL at which an identity provider publishes its keys' })
  ),
  JWT_ISSUER: Type.Optional(
    Type.String({ minLength: 1, description: 'Required value of the claim iss; any when unset' })
  ),
  JWT_AUDIENCE: Type.Optional(
    Type.String({ minLength: 1, description: 'Required value of the claim aud; any when unset' })
  ),
  JWT_REQUIRE_EXP: Type.Optional(
    Type.Boolean({ description: 'Refuse tokens without expiry; default true in production' })
  ),
  JWT_CLOCK_TOLERANCE: Type.Optional(Type.Integer({
    minimum: 0,
    maximum: 300,
    description: 'Seconds by which the clock of the issuer may differ (exp, nbf, iat); default 10'
  }))
}
export const JwtSettings = Type.Object(jwtSettings)
export type JwtSettings = Static<typeof JwtSettings>

const DEFAULT_CLOCK_TOLERANCE_S = 10

/** Milliseconds by which the clock of an issuer may differ. */
export function clockToleranceMs (
  { JWT_CLOCK_TOLERANCE = DEFAULT_CLOCK_TOLERANCE_S }: Pick<JwtSettings, 'JWT_CLOCK_TOLERANCE'>
): number {
  return JWT_CLOCK_TOLERANCE * 1000
}
