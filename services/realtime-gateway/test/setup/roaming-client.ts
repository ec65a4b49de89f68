import { setTimeout as sleep } from 'node:timers/promises'
import { until, type TestContext } from '@tidings/testing'
import type { TransportKind } from '../../src/session/transport.ts'
import { ANSWER_MS, type Client } from './client.ts'
import { connect } from './transports.ts'
import type { seededRandom } from './random.ts'

type Options = {
  t: TestContext,
  kind: TransportKind,
  job: string,
  token: string,
  urls: readonly string[],
  random: ReturnType<typeof seededRandom>
}

type Subscription = { lastEventId: string, recovered: boolean }

/** A client that never stays long: it disconnects, or is disconnected, and resumes at a random replica. */
export class RoamingClient {
  readonly kind: TransportKind
  readonly sessions: Client[] = []
  readonly subscriptions: Subscription[] = []
  readonly #options: Options
  #settling = false

  constructor (options: Options) {
    this.kind = options.kind
    this.#options = options
  }

  /** Roams until `settle` is called, then stays. */
  async roam (): Promise<void> {
    for (;;) {
      const client = await this.#join()
      await this.#stay(client)
      if (this.#settling && !client.gone) return
      client.close()
      await until(() => client.gone)
    }
  }

  settle (): void {
    this.#settling = true
  }

  /** Whether its transport takes commands: then it also subscribes to a job of its user. */
  get subscribes (): boolean {
    return this.kind !== 'sse'
  }

  /** The ids of all events of its user that it received, over all its sessions. */
  get eventIds (): string[] {
    return this.#idsOf('job:progress')
  }

  /** The same for the job that it subscribes to, if its transport can. */
  get jobEventIds (): string[] {
    return this.#idsOf(`job:${this.#options.job}:progress`)
  }

  #idsOf (name: string): string[] {
    return this.sessions.flatMap(client => client.of(name).map(({ eventId }) => eventId as string))
  }

  async #join (): Promise<Client> {
    const { t, kind, token, urls, random } = this.#options
    const lastEventId = this.sessions.at(-1)?.lastEventId
    for (;;) {
      try {
        const client = await connect[kind](t, random.pick(urls), { token, lastEventId })
        this.sessions.push(client)
        if (this.subscribes) await this.#subscribe(client)
        return client
      } catch {
        await sleep(random.between(50, 200)) // the replica, or Redis, is away
      }
    }
  }

  /** Resumes its subscription, until it is answered or disconnected. */
  async #subscribe (client: Client): Promise<void> {
    const { job: jobId, random } = this.#options
    while (!client.gone) {
      const lastEventId = this.jobEventIds.at(-1) ?? this.subscriptions[0]?.lastEventId
      const asking = client.command('subscribe:job', { jobId, ...(lastEventId !== undefined && { lastEventId }) })
      let ack: Record<string, unknown> | undefined
      asking.then(answer => { ack = answer }, () => {}) // a closed connection gets no answer
      await until(() => ack !== undefined || client.gone, { timeoutMs: ANSWER_MS })
      if (ack?.ok) this.subscriptions.push(ack as Subscription)
      if (ack?.ok) return
      await sleep(random.between(50, 200)) // jobs-api is away, or behind
    }
  }

  async #stay (client: Client): Promise<void> {
    const leave = Date.now() + this.#options.random.between(200, 2500)
    while (!client.gone && !this.#settling && Date.now() < leave) await sleep(20)
  }
}
