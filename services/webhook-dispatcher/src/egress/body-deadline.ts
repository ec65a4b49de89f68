/** How long an attempt waits for the body after the status: the body is only for the log. */
const READ_MS = 1000
/** How much longer it may take: all bodies share one timer, since few responses arrive in parts. */
const LOOK_MS = 100

type Reading = { onBodyLate: () => void }

/** Responses whose status has arrived and whose end has not, with the time until which they are read. */
const reading = new Map<Reading, number>()
let timer: NodeJS.Timeout | undefined

/** Calls `onBodyLate` after a second, unless it is cancelled. */
export function awaitBody (exchange: Reading): void {
  reading.set(exchange, performance.now() + READ_MS)
  timer ??= setTimeout(look, LOOK_MS)
}

export function forgetBody (exchange: Reading): void {
  reading.delete(exchange)
}

function look (): void {
  const now = performance.now()
  for (const [exchange, until] of reading) {
    if (until > now) break // the oldest is first
    reading.delete(exchange)
    exchange.onBodyLate()
  }
  timer = reading.size > 0 ? setTimeout(look, LOOK_MS) : undefined
}
