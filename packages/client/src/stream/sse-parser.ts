import { MAX_FRAME } from './frames.ts'

export interface Block { event: string, data: string, retryMs: number | undefined }

/** Reads an event stream piece by piece. Throws where a block grows beyond the longest frame. */
export function createSseParser (onBlock: (block: Block) => void): (text: string) => void {
  let rest = ''
  let size = 0
  let event = ''
  let data: string[] = []
  let retryMs: number | undefined

  function readLine (line: string) {
    size += line.length + 1
    const [, field, value = ''] = /^([^:]*):? ?(.*)/s.exec(line) ?? []
    if (field === 'data') data.push(value)
    else if (field === 'event') event = value
    else if (field === 'retry' && /^\d{1,9}$/.test(value)) retryMs = Number(value)
    if (line !== '') return
    onBlock({ event, data: data.join('\n'), retryMs })
    size = 0
    event = ''
    data = []
    retryMs = undefined
  }

  return function push (text) {
    rest += text
    if (text.includes('\n')) {
      const lines = rest.split(/\r?\n/)
      rest = lines.pop() as string
      lines.forEach(readLine)
    }
    if (rest.length + size > MAX_FRAME) throw new RangeError('a block is too long')
  }
}
