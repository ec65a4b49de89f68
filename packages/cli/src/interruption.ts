import { EXIT, Exit } from './failure.ts'

let controller: AbortController | undefined

/** Aborts with Ctrl-C or SIGTERM, for a command to end in order; a second one ends the program at once. */
export function interruption (): AbortSignal {
  if (controller) return controller.signal
  controller = new AbortController()
  const { signal } = controller
  const interrupt = () => {
    if (signal.aborted) process.exit(EXIT.interrupted)
    controller?.abort(new Exit(EXIT.interrupted))
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  return signal
}
