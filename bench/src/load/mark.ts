// Each event of the bench carries a mark through every channel: its run, its number in the run, the number of its job,
// and the time at which the worker emitted it. Receivers read it from the bytes, since parsing the JSON would cost them
// more than everything else they do.

const KEY = Buffer.from('"mark":"')
const QUOTE = 0x22
const DOT = 0x2e
const ZERO = 0x30

export interface Mark { run: number, seq: number, job: number, at: number }

/** Makes a payload of about `bytes` bytes of JSON. */
export function marked ({ run, seq, job, at }: Mark, bytes = 200): { mark: string, text: string } {
  const mark = `${run}.${seq}.${job}.${at}`
  return { mark, text: 'x'.repeat(Math.max(0, bytes - mark.length - 22)) }
}

/** The mark in these bytes, if there is one; `into` saves an allocation per message. */
export function readMark (bytes: Buffer, into: Mark, from = 0, to = bytes.length): Mark | undefined {
  const start = bytes.indexOf(KEY, from)
  if (start === -1 || start >= to) return undefined
  let at = start + KEY.length
  const number = () => {
    let value = 0
    for (; bytes[at] !== DOT && bytes[at] !== QUOTE; at++) value = value * 10 + (bytes[at] as number) - ZERO
    at++
    return value
  }
  into.run = number()
  into.seq = number()
  into.job = number()
  into.at = number()
  return into
}
