/** What was held against an endpoint is forgotten when its owner says that it is well. */
export const HEALTHY = { status: 'active', disabledReason: null, failingSince: null, failures: 0, openUntil: null } as const
