import { MAX_FRAME } from './frames.ts'

export interface Block { event: string, data: string, retryMs: number | undefined }

/** Reads an event stream piece by piece. Throws where a block grows beyond the longest frame. */
export function createSseParser (onBlock: (block: Block) => void): (text: string) => void {
  let rest = ''
  let scanned = 0
  let block: { event: string, data: string[], size: number, retryMs: number | undefined }
  const begin = () => { block = { event: 'message', data: [], size: 0, retryMs: undefined } }
  begin()

  function readLine (line: string) {
    if (line === '') {
      const { event, data, retryMs } = block
      if (data.length > 0 || retryMs !== undefined) onBlock({ event, data: data.join('\n'), retryMs })
      return begin()
    }
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    block.size += line.length + 1
    if (field === 'data') block.data.push(value)
    else if (field === 'event') block.event = value
    else if (field === 'retry' && /^\d{1,9}$/.test(value)) block.retryMs = Number(value)
  }

  return function push (text) {
    rest += text
    let start = 0
    for (let end; (end = rest.indexOf('\n', Math.max(start, scanned))) >= 0; start = end + 1) {
      readLine(rest.slice(start, rest[end - 1] === '\r' && end > start ? end - 1 : end))
    }
    rest = rest.slice(start)
    scanned = rest.length
    if (rest.length + block.size > MAX_FRAME) throw new RangeError('A block of the event stream is too long')
  }
}
