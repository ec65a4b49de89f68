import { Type, type Static } from 'typebox'
import { Int32 } from './int32.ts'
import { SCOPES, USER_SCOPES } from './jwt/scopes.ts'

/** Body of `POST /auth/refresh`. */
export const RefreshTokens = Type.Object({
  refreshToken: Type.String({ minLength: 1, maxLength: 4096, description: 'The latest refresh token' })
}, { $id: 'RefreshRequest', additionalProperties: false, examples: [{ refreshToken: 'eyJhbGciOiJIUzI1NiJ9.…' }] })
export type RefreshTokens = Static<typeof RefreshTokens>

export const RefreshedTokens = Type.Object({
  token: Type.String({ description: 'The new access token' }),
  refreshToken: Type.String({ description: 'Replaces the refresh token of the request, which is used up' }),
  expiresIn: Int32({ description: 'Seconds until the access token expires' })
}, {
  $id: 'TokenPair',
  examples: [{ token: 'eyJhbGciOiJIUzI1NiJ9.…', refreshToken: 'eyJhbGciOiJIUzI1NiJ9.…', expiresIn: 900 }]
})
export type RefreshedTokens = Static<typeof RefreshedTokens>

/** Answer of `GET /me`. */
export const Me = Type.Object({
  userId: Type.Union([Type.Integer(), Type.String()], {
    description: 'A number where the id is one, otherwise a text'
  }),
  scopes: Type.Array(Type.Enum([...SCOPES], { $id: 'Scope' }), {
    description: 'What the token allows; words of its claim that are no scopes are left out'
  }),
  expiresAt: Type.Union([Type.Integer(), Type.Null()], {
    description: 'When the token ends, in milliseconds; null: never'
  })
}, { $id: 'Me', examples: [{ userId: 7, scopes: [...USER_SCOPES], expiresAt: 1640998800000 }] })
export type Me = Static<typeof Me>
