import { sql } from 'drizzle-orm'

/** Nothing is held against an endpoint, as when its URL is another one now; what it has lost is due once more. */
export const UNBLEMISHED = { failingSince: null, failures: 0, openUntil: null, recoverAt: sql`now()` } as const

/** Its owner says that it is well. */
export const HEALTHY = { status: 'active', disabledReason: null, ...UNBLEMISHED } as const
