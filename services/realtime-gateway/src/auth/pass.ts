import type { Identity } from '@tidings/contracts'

/** What lets a client have a session, until it leaves. */
export type Pass = { identity: Identity, token: string, leave: () => void }
