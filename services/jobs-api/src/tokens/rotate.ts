import { randomUUID } from 'node:crypto'
import type { RawSql } from '@tidings/service-kit'
import type { RefreshToken } from './refresh-token.ts'

/** The token just spent still answers for so long: its answer may have been lost on the way. */
const GRACE_SECONDS = 30

type Family = { user_id: string, current_id: string, spent_id: string, revoked: boolean, in_grace: boolean }

export type Rotation =
  | { outcome: 'rotated', id: string }
  /** A token that was spent before came again: whoever holds the family is locked out. */
  | { outcome: 'reused' }
  | { outcome: 'revoked' }

/**
 * Spends a refresh token and names the one that takes its place. Two requests
 * with one token wait for each other at the family's row and get the same answer.
 */
export async function rotate (sql: RawSql, token: RefreshToken, keepUntil: Date): Promise<Rotation> {
  return await sql.begin(async tx => {
    const id = randomUUID()
    const begun = await tx`
      insert into jobs.refresh_families (family, user_id, current_id, spent_id, rotated_at, expires_at)
      values (${token.family}, ${token.userId}, ${id}, ${token.id}, now(), greatest(${token.expiresAt}::timestamptz, ${keepUntil}::timestamptz))
      on conflict (family) do nothing`
    if (begun.count === 1) return { outcome: 'rotated', id }

    const [family] = await tx<Family[]>`
      select user_id, current_id, spent_id, revoked_at is not null as revoked,
        rotated_at > now() - make_interval(secs => ${GRACE_SECONDS}) as in_grace
      from jobs.refresh_families where family = ${token.family} for update`
    if (!family || family.revoked || family.user_id !== token.userId) return { outcome: 'revoked' }
    if (token.id === family.spent_id && family.in_grace) return { outcome: 'rotated', id: family.current_id }
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
