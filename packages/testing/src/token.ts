import { signAccessToken } from '@tidings/contracts'

/** What the services of a test verify tokens with. */
export const TEST_SECRET = 'a-secret-for-tests-and-nothing-else'

/** An access token of this user. */
export function tokenOf (userId: string | number, { secret = TEST_SECRET, expiresInMs = 3_600_000 } = {}): string {
  return signAccessToken({ userId: String(userId), secret, expiresInMs })
}
