import { webSocketFrame } from './websocket-frame.ts'

/**
 * One event for clients. It is encoded once per transport, when the first session of that transport receives it, no
 * matter how many follow.
 */
export class Frame {
  readonly event: string
  /** The payload as JSON. */
  readonly json: string
  /** The position from which a client that received it resumes. */
  readonly eventId: string | undefined
  #packet: string | undefined
  #webSocketPacket: [Buffer] | undefined
  #text: Buffer | undefined
  #block: Buffer | undefined

  constructor (event: string, json: string, eventId?: string) {
    this.event = event
    this.json = json
    this.eventId = eventId
  }

  /** A copy without encodings: with a small payload they are most of the memory of a buffered frame. */
  bare (): Frame {
    return new Frame(this.event, this.json, this.eventId)
  }

  /** As a Socket.IO event of the main namespace. */
  get packet (): string {
    return (this.#packet ??= `2[${JSON.stringify(this.event)},${this.json}]`)
  }

  /** `packet` framed for a WebSocket: in one buffer, which is one write, and in the list that engine.io expects. */
  get webSocketPacket (): [Buffer] {
    return (this.#webSocketPacket ??= [webSocketFrame(`4${this.packet}`)])
  }

  /** As a JSON frame of the plain WebSocket. */
  get text (): Buffer {
    return (this.#text ??= Buffer.from(`{"event":${JSON.stringify(this.event)},"data":${this.json}}`))
  }

  /** As a block of an event stream. JSON holds no line breaks, and neither do the event names used there. */
  get block (): Buffer {
    const id = this.eventId === undefined ? '' : `id: ${this.eventId}\n`
    return (this.#block ??= Buffer.from(`${id}event: ${this.event}\ndata: ${this.json}\n\n`))
  }
}
