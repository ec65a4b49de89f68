import { Type, type Static } from 'typebox'

/** The variables by which every service verifies tokens. At least one of TOKEN_SECRET and JWKS_URL must be there. */
export const jwtSettings = {
  TOKEN_SECRET: Type.Optional(Type.String({ minLength: 1, description: 'Secret of HS256 access tokens' })),
  JWKS_URL: Type.Optional(Type.String({ format: 'url', description: 'Where an identity provider publishes its keys' })),
  JWT_ISSUER: Type.Optional(Type.String({ minLength: 1, description: 'Required value of the claim iss; any when unset' })),
  JWT_AUDIENCE: Type.Optional(Type.String({ minLength: 1, description: 'Required value of the claim aud; any when unset' })),
  JWT_REQUIRE_EXP: Type.Optional(Type.Boolean({ description: 'Refuse tokens that never end; default true in production' })),
  JWT_CLOCK_TOLERANCE: Type.Optional(Type.Integer({
    minimum: 0, maximum: 300, description: 'Seconds by which the clock of the issuer may differ from ours (exp, nbf, iat); default 10'
  }))
}
export const JwtSettings = Type.Object(jwtSettings)
export type JwtSettings = Static<typeof JwtSettings>

const DEFAULT_CLOCK_TOLERANCE_S = 10

/** By how many milliseconds the clock of an issuer may differ from ours. */
export function clockToleranceMs ({ JWT_CLOCK_TOLERANCE = DEFAULT_CLOCK_TOLERANCE_S }: Pick<JwtSettings, 'JWT_CLOCK_TOLERANCE'>): number {
  return JWT_CLOCK_TOLERANCE * 1000
}
