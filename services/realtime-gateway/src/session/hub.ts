import { setTimeout as sleep } from 'node:timers/promises'
import type { Session } from './session.ts'

const SLICE_MS = 100
/** Fewer are not worth spreading. */
const MIN_SLICE = 50

/** The sessions of this replica by user. A job's events only ever go to sessions of its owner. */
export class Hub {
  readonly #users = new Map<string, Set<Session>>()
  /** The few that receive the events of a user who is not their own. */
  readonly #operatorSessions = new Set<Session>()
  #isDraining = false

  add (session: Session): void {
    if (session.isOperator) this.#operatorSessions.add(session)
    const sessions = this.#users.get(session.userId)
    if (sessions) sessions.add(session)
    else this.#users.set(session.userId, new Set([session]))
  }

  remove (session: Session): void {
    this.#operatorSessions.delete(session)
    const sessions = this.#users.get(session.userId)
    if (sessions?.delete(session) && sessions.size === 0) this.#users.delete(session.userId)
  }

  /** A user's sessions; undefined where there is none. */
  sessionsOf (userId: string): ReadonlySet<Session> | undefined {
    return this.#users.get(userId)
  }

  /** The sessions with a token of this user, whosever events they receive. */
  * sessionsWithTokenOf (userId: string): Generator<Session> {
    for (const session of this.#users.get(userId) ?? []) if (!session.isOperator) yield session
    for (const session of this.#operatorSessions) if (session.identity.userId === userId) yield session
  }

  /** The users whose tokens the sessions have. */
  get tokenUsers (): string[] {
    const operators = [...this.#operatorSessions].map(({ identity }) => identity.userId)
    return [...new Set([...this.#users.keys(), ...operators])]
  }

  get sessions (): Session[] {
    return [...this.#users.values()].flatMap(sessions => [...sessions])
  }

  get isDraining (): boolean {
    return this.#isDraining
  }

  /** Ends all sessions in slices, so that they do not reach the other replicas all at once. */
  async drain (overMs: number): Promise<void> {
    this.#isDraining = true
    const sessions = this.sessions
    for (const session of sessions) session.send('server:draining', {})
    const size = Math.max(MIN_SLICE, Math.ceil(sessions.length * SLICE_MS / overMs))
    for (let i = 0; i < sessions.length; i += size) {
      for (const session of sessions.slice(i, i + size)) session.end('draining')
      await sleep(SLICE_MS)
    }
  }
}
