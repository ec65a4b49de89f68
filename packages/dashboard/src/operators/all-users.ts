/** The query of lists over all users, for operators. */
export const ALL_USERS = { userId: '*', limit: 100 } as const

/** Nothing is pushed about other users. */
export const POLL_MS = 5000
