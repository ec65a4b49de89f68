import { setTimeout as sleep } from 'node:timers/promises'
import { now } from '../clock.ts'
import type { Load } from '../load/start-load.ts'
import type { Arrivals, Expected } from '../load/tally.ts'
import { watchCpu } from '../fixture/cpu-shares.ts'
import type { CpuShare, Watched } from '../fixture/cpu-shares.ts'
import type { Fixture } from '../fixture/fixture.ts'
import { middleRate } from '../figures/rates.ts'
import { stallTimeoutMs } from './losses.ts'

const CHECK_MS = 5

export interface Received extends Arrivals {
  /** Deliveries per second over the middle of the run. */
  perSecond: number
  cpu: CpuShare[]
}

interface Receiving {
  /** The sink or the sockets. */
  at: Load<{ expect: (expected: Expected) => void, finish: () => Arrivals }>
  expected: Expected
  /** Sends the expected events; need not wait for their arrival. */
  send: () => unknown
  onCount?: (count: number) => void
  watched: Watched[]
}

/** Sends events to one channel alone and waits for their arrival. */
export async function receive (
  { loads, signal }: Fixture,
  { at, expected, send, onCount, watched }: Receiving
): Promise<Received> {
  let count = 0
  let lastArrival = now()
  at.onNotification(received => {
    count = received as number
    lastArrival = now()
    onCount?.(count)
  })
  await at.ask('expect', expected)
  const cpu = watchCpu([...watched, ...loads.all.map(load => ({ ...load, isLoad: true }))])
  await send()
  lastArrival = now()
  while (count < expected.events && now() - lastArrival < stallTimeoutMs('Tidings') * 1000) {
    await sleep(CHECK_MS, undefined, { signal })
  }
  const shares = cpu()
  const arrivals = await at.ask('finish')
  const copies = expected.copies ?? 1
  return { ...arrivals, perSecond: middleRate(expected.events * copies, arrivals), cpu: shares }
}
