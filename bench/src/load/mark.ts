// Each event of the bench carries a mark through every channel: which run it is of, its number in the run, its job's
// number, and when the worker told it. It is read out of the bytes, since parsing JSON would cost a receiver more than
// all else it does.

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

/** The mark in these bytes, if there is one; `into` saves an object a message. */
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
