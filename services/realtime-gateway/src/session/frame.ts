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
  #packetOptions: { compress: false, wsPreEncodedFrame: [Buffer] } | undefined
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

  /** What engine.io needs to send `packet` over a WebSocket without encoding it again: header and payload in one buffer, which is one write. */
  get packetOptions () {
    return (this.#packetOptions ??= { compress: false, wsPreEncodedFrame: [webSocketFrame(`4${this.packet}`)] })
  }

  /** Of the packet as it travels over a WebSocket, the frame's header included. */
  get packetBytes (): number {
    return this.packetOptions.wsPreEncodedFrame[0].length
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
