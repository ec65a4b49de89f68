import { Type, type Static } from 'typebox'

/** The variables by which every service verifies tokens. At least one of TOKEN_SECRET and JWKS_URL must be there. */
export const jwtSettings = {
  TOKEN_SECRET: Type.Optional(Type.String({ minLength: 1, description: 'Secret of HS256 access tokens' })),
  JWKS_URL: Type.Optional(Type.String({ format: 'url', description: 'Where an identity provider publishes its keys' })),
  JWT_ISSUER: Type.Optional(Type.String({ minLength: 1 })),
  JWT_AUDIENCE: Type.Optional(Type.String({ minLength: 1 })),
  JWT_REQUIRE_EXP: Type.Optional(Type.Boolean({ description: 'Refuse tokens that never end; default true in production' }))
}
export const JwtSettings = Type.Object(jwtSettings)
export type JwtSettings = Static<typeof JwtSettings>
