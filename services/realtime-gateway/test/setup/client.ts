import { until } from '@tidings/testing'

export type Received = { event: string, data: Record<string, unknown> }

export type ConnectOptions = {
  token?: string | undefined
  /** The user whom an operator names. */
  userId?: string | undefined
  lastEventId?: string | undefined
  origin?: string | undefined
  /** Requests the stream of one job, for the transport that has one. */
  job?: string
  transports?: string[]
  /** The Accept header of an event stream's client, as browsers send it. */
  accept?: string
}

/** No test depends on the speed of an answer. */
export const ANSWER_MS = 30_000

/** The refusal of a transport. */
export class Refused extends Error {
  readonly code: string

  constructor (code: string) {
    super(`Refused: ${code}`)
    this.code = code
  }
}

/** The events of a user that carry a position. */
const POSITIONS = new Set(['session', 'job:state', 'job:progress', 'job:completed', 'job:failed'])

/** A client of any transport that records everything it receives. */
export class Client {
  readonly received: Received[] = []
  /** Set when the connection is closed. */
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

  /** The received payloads of these events, in order. */
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

  /** Where this client would resume. Events of a subscription have positions of their own, which may be older. */
  get lastEventId (): string | undefined {
    const { data } = this.received.findLast(({ event }) => POSITIONS.has(event)) ?? {}
    return (data?.eventId ?? data?.lastEventId) as string | undefined
  }
}
