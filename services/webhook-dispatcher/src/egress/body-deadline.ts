/** How long what follows a status is waited for: it is for the log. */
const READ_MS = 1000
/** How much longer it may take: one timer for all, since hardly any answer comes in parts. */
const LOOK_MS = 100

type Reading = { onBodyLate: () => void }

/** Answers whose status is known and whose end is not, with the moment until which they are read. */
const reading = new Map<Reading, number>()
let timer: NodeJS.Timeout | undefined

/** Calls `onBodyLate` in a second, unless that is taken back. */
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
