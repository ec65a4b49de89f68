import { setTimeout as sleep } from 'node:timers/promises'
import { until, type TestContext } from '@tidings/testing'
import type { Face } from '../../src/session/wire.ts'
import type { Client } from './client.ts'
import { connect } from './faces.ts'
import type { seededRandom } from './random.ts'

type Options = { t: TestContext, face: Face, token: string, urls: readonly string[], random: ReturnType<typeof seededRandom> }

/** A client that never stays long: it leaves, or is left, and goes on at any replica from where it was. */
export class Wanderer {
  readonly face: Face
  readonly sessions: Client[] = []
  readonly #options: Options
  #resting = false

  constructor (options: Options) {
    this.face = options.face
    this.#options = options
  }

  /** Wanders until `rest` is called, then stays. */
  async wander (): Promise<void> {
    for (;;) {
      const client = await this.#join()
      await this.#stay(client)
      if (this.#resting && !client.gone) return
      client.close()
      await until(() => client.gone)
    }
  }

  rest (): void {
    this.#resting = true
  }

  /** The ids of all job events that it was told, over all its sessions. */
  get eventIds (): string[] {
    return this.sessions.flatMap(({ told }) => told.filter(({ event }) => event.startsWith('job:')).map(({ data }) => data.eventId as string))
  }

  async #join (): Promise<Client> {
    const { t, face, token, urls, random } = this.#options
    const lastEventId = this.sessions.at(-1)?.lastEventId
    for (;;) {
      try {
        const client = await connect[face](t, random.pick(urls), { token, lastEventId })
        this.sessions.push(client)
        return client
      } catch {
        await sleep(random.between(50, 200)) // the replica, or Redis, is away
      }
    }
  }

  async #stay (client: Client): Promise<void> {
    const leave = Date.now() + this.#options.random.between(200, 2500)
    while (!client.gone && !this.#resting && Date.now() < leave) await sleep(20)
  }
}
