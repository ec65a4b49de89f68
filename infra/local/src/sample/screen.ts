import type { WriteStream } from 'node:tty'

const CLEAR_LINE = '\r\u001b[K'
const WIDTH = 30

export interface Screen {
  line: (text: string) => void
  /** Draws a bar in place on a terminal; elsewhere prints one line per tenth. */
  bar: (label: string, percent: number) => void
}

/** Prints lines, and at most one bar below them. */
export function createScreen (out: Pick<WriteStream, 'write'> & { isTTY?: boolean }): Screen {
  const isTerminal = out.isTTY === true
  let bar = ''
  let printedTenth = -1

  return {
    line: text => { out.write(isTerminal ? `${CLEAR_LINE}${text}\n${bar}` : `${text}\n`) },
    bar: (label, percent) => {
      const filled = Math.round(WIDTH * Math.min(Math.max(percent, 0), 100) / 100)
      const text = `${label} [${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}] ${percent} %`
      const isEnd = percent >= 100
      if (isTerminal) {
        bar = isEnd ? '' : text
        out.write(`${CLEAR_LINE}${text}${isEnd ? '\n' : ''}`)
      } else if (Math.floor(percent / 10) !== printedTenth) {
        printedTenth = Math.floor(percent / 10)
        out.write(`${text}\n`)
      }
    }
  }
}
