import { setTimeout as sleep } from 'node:timers/promises'
import { now } from '../clock.ts'
import type { Load } from '../load/start-load.ts'
import type { Arrivals, Expected } from '../load/tally.ts'
import { watchCpu } from '../stage/cpu-shares.ts'
import type { CpuShare, Watched } from '../stage/cpu-shares.ts'
import type { Stage } from '../stage/stage.ts'
import { middleRate } from './middle-rate.ts'
import { patienceMs } from './patience.ts'

const LOOK_MS = 5

export interface Received extends Arrivals {
  /** Deliveries a second over the middle of the run. */
  perSecond: number
  cpu: CpuShare[]
}

interface Receiving {
  /** The sink or the sockets. */
  at: Load<{ expect: (expected: Expected) => void, finish: () => Arrivals }>
  expected: Expected
  /** Makes what is expected; need not wait for it to arrive. */
  send: () => unknown
  onCount?: (count: number) => void
  watched: Watched[]
}

/** Has something sent to one channel alone and sees it arrive. */
export async function receive ({ loads, signal }: Stage, { at, expected, send, onCount, watched }: Receiving): Promise<Received> {
  let count = 0
  let lastNews = now()
  at.onNews(news => {
    count = news as number
    lastNews = now()
    onCount?.(count)
  })
  await at.ask('expect', expected)
  const cpu = watchCpu([...watched, ...loads.all.map(load => ({ ...load, isLoad: true }))])
  await send()
  lastNews = now()
  while (count < expected.events && now() - lastNews < patienceMs('Tidings') * 1000) await sleep(LOOK_MS, undefined, { signal })
  const shares = cpu()
  const arrivals = await at.ask('finish')
  const copies = expected.copies ?? 1
  return { ...arrivals, perSecond: middleRate(expected.events * copies, arrivals), cpu: shares }
}
