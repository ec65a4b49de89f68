import type { Session } from './session.ts'

/** The sessions of this replica by user. A job's events only ever go to sessions of its owner. */
export class Audience {
  readonly #users = new Map<string, Set<Session>>()

  add (session: Session): void {
    const sessions = this.#users.get(session.userId)
    if (sessions) sessions.add(session)
    else this.#users.set(session.userId, new Set([session]))
  }

  remove (session: Session): void {
    const sessions = this.#users.get(session.userId)
    if (sessions?.delete(session) && sessions.size === 0) this.#users.delete(session.userId)
  }

  /** A user's sessions; undefined where there is none. */
  of (userId: string): ReadonlySet<Session> | undefined {
    return this.#users.get(userId)
  }

  get users (): string[] {
    return [...this.#users.keys()]
  }

  get sessions (): Session[] {
    return [...this.#users.values()].flatMap(sessions => [...sessions])
  }
}
