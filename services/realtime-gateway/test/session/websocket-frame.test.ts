import t from 'tap'
import * as ws from 'ws'
import { webSocketFrame } from '../../src/session/websocket-frame.ts'

/** The encoder of ws, which its types leave out. */
const { Sender: { frame: encode } } = ws as unknown as {
  Sender: { frame: (data: Buffer, options: object) => Buffer[] }
}

t.test('the bytes are those of ws, around every length at which the header grows', async t => {
  const lengths = [0, 1, 124, 125, 126, 127, 128, 300, 65_534, 65_535, 65_536, 65_537, 200_000]
  for (const text of [
    ...lengths.map(length => 'x'.repeat(length)), 'ä'.repeat(62), 'ä'.repeat(63), '漢字 😀'.repeat(9000)
  ]) {
    const theirs = Buffer.concat(
      encode(Buffer.from(text), { fin: true, opcode: 1, mask: false, rsv1: false, readOnly: false })
    )
    t.ok(webSocketFrame(text).equals(theirs), `${Buffer.byteLength(text)} bytes`)
  }
})
