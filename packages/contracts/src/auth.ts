import { Type, type Static } from 'typebox'

/** Body of `POST /auth/refresh`. */
export const RefreshTokens = Type.Object({
  refreshToken: Type.String({ minLength: 1, maxLength: 4096, description: 'The latest refresh token' })
}, { additionalProperties: false, examples: [{ refreshToken: 'eyJhbGciOiJIUzI1NiJ9.…' }] })
export type RefreshTokens = Static<typeof RefreshTokens>

export const RefreshedTokens = Type.Object({
  token: Type.String({ description: 'The new access token' }),
  refreshToken: Type.String({ description: 'Replaces the refresh token of the request, which is used up' }),
  expiresIn: Type.Integer({ description: 'Seconds until the access token expires' })
}, { examples: [{ token: 'eyJhbGciOiJIUzI1NiJ9.…', refreshToken: 'eyJhbGciOiJIUzI1NiJ9.…', expiresIn: 900 }] })
export type RefreshedTokens = Static<typeof RefreshedTokens>
