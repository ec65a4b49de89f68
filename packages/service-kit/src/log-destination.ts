import { pino } from 'pino'

const STDOUT = 1

let stdout = openStdout()

/**
 * Stdout, which may be a full disk or a broken pipe: a line that cannot be written is dropped and does not end the
 * process. Pino's own destination alone would end it by an unhandled error, and buffers what it could not write.
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
