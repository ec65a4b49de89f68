import { issueTokens, type IssuerSettings } from '@tidings/contracts'
import type { Secrets } from './secrets.ts'

export interface Tokens {
  /** An access token for this user. */
  token: (userId: string | number, expiresInMs?: number, scope?: string) => string
  refreshToken: (userId: string | number, scope?: string) => string
}

/** What tokens of the local system are signed with. */
export function issuerSettings (secrets: Secrets, { JWT_ISSUER, JWT_AUDIENCE }: NodeJS.ProcessEnv): IssuerSettings {
  const { TOKEN_SECRET, REFRESH_TOKEN_SECRET } = secrets
  return { TOKEN_SECRET, REFRESH_TOKEN_SECRET, JWT_ISSUER, JWT_AUDIENCE }
}

/** Issues the first tokens in place of an identity provider. */
export function tokenIssuer (secrets: Secrets, env: NodeJS.ProcessEnv): Tokens {
  const settings = issuerSettings(secrets, env)
  const issue = (userId: string | number, scope?: string, expiresInMs?: number) =>
    issueTokens({ userId: String(userId), scope, expiresInMs }, settings)
  return {
    token: (userId, expiresInMs, scope) => issue(userId, scope, expiresInMs).token,
    refreshToken: (userId, scope) => issue(userId, scope).refreshToken as string
  }
}
