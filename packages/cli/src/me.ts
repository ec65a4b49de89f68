import type { Me } from 'tidings'
import { duration } from './text.ts'

export function describeMe ({ userId, scopes, expiresAt }: Me, url: string, now = Date.now()): string {
  const end = expiresAt === null ? 'does not end' : `ends in ${duration(expiresAt - now)}`
  return `user ${userId} at ${url}\nscopes ${scopes.join(' ') || '(none)'}\nthe token ${end}`
}
