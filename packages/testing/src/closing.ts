import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'

/** Counted from readiness: relays, consumers and their connections start within this time. */
const START_MS = 60
const STEP_MS = 3

type Service = { ready: () => PromiseLike<unknown>, close: () => Promise<unknown> }

/**
 * Closes a service at twenty moments of its start, each time another one. A
 * rejection that nobody awaits fails the test, as it would end the process.
 */
export async function closeAtManyMoments (t: Pick<Test, 'resolves'>, build: () => Service): Promise<void> {
  for (let afterMs = 0; afterMs < START_MS; afterMs += STEP_MS) {
    const app = build()
    await app.ready()
    await sleep(afterMs)
    await t.resolves(app.close(), `closed after ${afterMs} ms`)
  }
}
