import { randomUUID } from 'node:crypto'
import type { RawSql } from '@tidings/service-kit'
import type { RefreshToken } from './refresh-token.ts'

/** A used token is accepted for this long, since the response with the new one may have been lost. */
const GRACE_SECONDS = 30

type Family = { user_id: string, current_id: string, used_id: string, revoked: boolean, in_grace: boolean }

type Rotation =
  | { outcome: 'rotated', id: string }
  /** An older token was used again: the whole family is revoked. */
  | { outcome: 'reused' }
  | { outcome: 'revoked' }

/**
 * Uses a refresh token and returns the id of its replacement. Two requests with the same token are serialized by the
 * family's row and get the same id.
 */
export async function rotate (sql: RawSql, token: RefreshToken, keepUntil: Date): Promise<Rotation> {
  return await sql.begin(async tx => {
    const id = randomUUID()
    const created = await tx`
      insert into jobs.refresh_families (family, user_id, current_id, spent_id, rotated_at, expires_at)
      values (${token.family}, ${token.userId}, ${id}, ${token.id}, now(), greatest(${token.expiresAt}::timestamptz, ${keepUntil}::timestamptz))
      on conflict (family) do nothing`
    if (created.count === 1) return { outcome: 'rotated', id }

    const [family] = await tx<Family[]>`
      select user_id, current_id, spent_id as used_id, revoked_at is not null as revoked,
        rotated_at > now() - make_interval(secs => ${GRACE_SECONDS}) as in_grace
      from jobs.refresh_families where family = ${token.family} for update`
    if (!family || family.revoked || family.user_id !== token.userId) return { outcome: 'revoked' }
    if (token.id === family.used_id && family.in_grace) return { outcome: 'rotated', id: family.current_id }
    if (token.id !== family.current_id) {
      await tx`update jobs.refresh_families set revoked_at = now() where family = ${token.family}`
      return { outcome: 'reused' }
    }
    await tx`
      update jobs.refresh_families
      set spent_id = current_id, current_id = ${id}, rotated_at = now(), expires_at = greatest(expires_at, ${keepUntil}::timestamptz)
      where family = ${token.family}`
    return { outcome: 'rotated', id }
  })
}
