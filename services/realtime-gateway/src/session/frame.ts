import { webSocketFrame } from './websocket-frame.ts'

/**
 * One thing to tell. It is encoded once a face, when the first session of that
 * face gets it, however many follow.
 */
export class Frame {
  readonly event: string
  /** The payload as JSON. */
  readonly json: string
  /** Where a client that received it resumes from. */
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

  /** The same without its encodings: beside a small payload they are most of what a frame that is kept weighs. */
  bare (): Frame {
    return new Frame(this.event, this.json, this.eventId)
  }

  /** As a Socket.IO event of the main namespace. */
  get packet (): string {
    return (this.#packet ??= `2[${JSON.stringify(this.event)},${this.json}]`)
  }

  /** `packet` as it travels over a WebSocket: in one buffer, which is one write, and in the list that engine.io wants. */
  get webSocketPacket (): [Buffer] {
    return (this.#webSocketPacket ??= [webSocketFrame(`4${this.packet}`)])
  }

  /** As a JSON frame of the plain WebSocket. */
  get text (): Buffer {
    return (this.#text ??= Buffer.from(`{"event":${JSON.stringify(this.event)},"data":${this.json}}`))
  }

  /** As a block of an event stream. JSON holds no line breaks, and neither do the names told there. */
  get block (): Buffer {
    const id = this.eventId === undefined ? '' : `id: ${this.eventId}\n`
    return (this.#block ??= Buffer.from(`${id}event: ${this.event}\ndata: ${this.json}\n\n`))
  }
}
