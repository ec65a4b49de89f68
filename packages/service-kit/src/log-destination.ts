import { pino } from 'pino'

const STDOUT = 1

let stdout = openStdout()

/**
 * Stdout, which may be on a full disk or a broken pipe: a line that can't be
 * written is dropped, and no reason to end. Not pino's own destination alone,
 * whose unheard error ends the process, and which keeps what it could not write.
 */
export const logDestination = {
  write (line: string) {
    stdout.write(line)
  }
}

function openStdout () {
  const destination = pino.destination({ dest: STDOUT, sync: true })
  destination.on('error', () => { stdout = openStdout() })
  return destination
}
