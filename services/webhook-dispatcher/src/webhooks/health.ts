/** Nothing is held against an endpoint, as when its URL is another one now. */
export const UNBLEMISHED = { failingSince: null, failures: 0, openUntil: null } as const

/** Its owner says that it is well. */
export const HEALTHY = { status: 'active', disabledReason: null, ...UNBLEMISHED } as const
