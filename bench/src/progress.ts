const CLEAR_LINE = '\r\u001b[K'

export interface Progress {
  /** What is measured now; replaces what was said before. */
  say: (text: string) => void
  /** A line that stays. */
  line: (text: string) => void
}

/** One line on a terminal; elsewhere each change is a line. */
export function createProgress (out: NodeJS.WriteStream): Progress {
  const started = Date.now()
  const elapsed = () => `${String(Math.round((Date.now() - started) / 1000)).padStart(4)} s`
  let said = ''
  return {
    say: text => {
      said = text
      out.write(out.isTTY ? `${CLEAR_LINE}${elapsed()}  ${text}` : `${elapsed()}  ${text}\n`)
    },
    line: text => {
      out.write(out.isTTY ? `${CLEAR_LINE}${text}\n${elapsed()}  ${said}` : `${text}\n`)
    }
  }
}
