import { createHmac } from 'node:crypto'
import { TEST_SECRET } from '@tidings/testing'

const AGE_S = 600
const LIFETIME_S = 24 * 3600

/**
 * An access token of the user for the whole run. It is some minutes old: a replica whose clock is behind refuses those
 * that it takes for issued in the future.
 */
export function longToken (userId: string): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = { userId, type: 'access', iat: now - AGE_S, exp: now + LIFETIME_S }
  const unsigned = [{ alg: 'HS256', typ: 'JWT' }, claims]
    .map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${unsigned}.${createHmac('sha256', TEST_SECRET).update(unsigned).digest('base64url')}`
}
