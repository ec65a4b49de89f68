import { signAccessToken } from '@tidings/contracts'

/** What the services of a test verify tokens with. */
export const TEST_SECRET = 'a-secret-for-tests-and-nothing-else'

type TokenOptions = { secret?: string, expiresInMs?: number, scope?: string | undefined }

/** An access token of this user; without a scope it may do everything with the user's own data. */
export function tokenOf (
  userId: string | number,
  { secret = TEST_SECRET, expiresInMs = 3_600_000, scope }: TokenOptions = {}
): string {
  return signAccessToken({ userId: String(userId), secret, expiresInMs, scope })
}
