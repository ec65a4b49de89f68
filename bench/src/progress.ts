const CLEAR_LINE = '\r\u001b[K'

export interface Progress {
  /** Shows what is being measured; replaces the former status. */
  status: (text: string) => void
  /** Prints a line that stays. */
  line: (text: string) => void
}

/** One status line on a terminal; elsewhere one line per status. */
export function createProgress (out: NodeJS.WriteStream): Progress {
  const started = Date.now()
  const elapsed = () => `${String(Math.round((Date.now() - started) / 1000)).padStart(4)} s`
  let current = ''
  return {
    status: text => {
      current = text
      out.write(out.isTTY ? `${CLEAR_LINE}${elapsed()}  ${text}` : `${elapsed()}  ${text}\n`)
    },
    line: text => {
      out.write(out.isTTY ? `${CLEAR_LINE}${text}\n${elapsed()}  ${current}` : `${text}\n`)
    }
  }
}
