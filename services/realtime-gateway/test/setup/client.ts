import { until } from '@tidings/testing'

export type Received = { event: string, data: Record<string, unknown> }

export type ConnectOptions = {
  token?: string | undefined
  lastEventId?: string | undefined
  origin?: string | undefined
  /** A job's stream, for the transport that has one. */
  job?: string
  transports?: string[]
  /** What an event stream's client accepts; browsers say so. */
  accept?: string
}

/** No test depends on how fast an answer is. */
export const ANSWER_MS = 30_000

/** What a transport answers to whom it does not let in. */
export class Refused extends Error {
  readonly code: string

  constructor (code: string) {
    super(`Refused: ${code}`)
    this.code = code
  }
}

/** What a user is told, each with its position. */
const POSITIONS = new Set(['session', 'job:state', 'job:progress', 'job:completed', 'job:failed'])

/** A client of any transport that notes all it is told. */
export class Client {
  readonly received: Received[] = []
  /** Set when the connection has gone. */
  gone = false
  /** The code that a WebSocket was closed with. */
  closeCode: number | undefined
  readonly command: (event: string, data?: unknown) => Promise<Record<string, unknown>>
  /** Sends a command without waiting for an answer. */
  readonly emit: (event: string, data?: unknown) => void
  readonly close: () => void
  /** Stops reading from the connection, as a client that hangs does. */
  readonly hang: () => void
  readonly read: () => void

  constructor (act: Pick<Client, 'command' | 'emit' | 'close' | 'hang' | 'read'>) {
    this.command = act.command
    this.emit = act.emit
    this.close = act.close
    this.hang = act.hang
    this.read = act.read
  }

  /** What came of these events, in order. */
  of (...events: string[]): Record<string, unknown>[] {
    return this.received.filter(({ event }) => events.includes(event)).map(({ data }) => data)
  }

  async waitFor (event: string, count = 1): Promise<Record<string, unknown>[]> {
    await until(() => this.of(event).length >= count, { what: `${count} ${event}; ${this.received.length} came` })
    return this.of(event)
  }

  async waitForEnd (): Promise<Record<string, unknown> | undefined> {
    await until(() => this.gone, { what: 'the connection to go' })
    return this.of('session:end')[0]
  }

  /** Where this client would go on from: what a job's subscription tells has positions of its own, and may be older. */
  get lastEventId (): string | undefined {
    const { data } = this.received.findLast(({ event }) => POSITIONS.has(event)) ?? {}
    return (data?.eventId ?? data?.lastEventId) as string | undefined
  }
}
