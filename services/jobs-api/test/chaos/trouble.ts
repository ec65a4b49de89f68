import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { relayLeaseKey } from '@tidings/contracts'
import type { SpawnedService } from '@tidings/testing'
import type { Random } from './random.ts'

type TroubleOptions<Process> = {
  processes: Process[]
  /** Starts the successor of a killed process. */
  start: () => Promise<Process>
  chance: Random
  /** The pause in between: from, to. */
  pauseMs: [number, number]
  isOver: () => boolean
}

/** Kills processes at random, and freezes some for longer than their leases and locks last; returns how often. */
export async function makeTrouble<Process extends SpawnedService> (
  { processes, start, chance, pauseMs, isOver }: TroubleOptions<Process>
) {
  const done = { kills: 0, freezes: 0 }
  while (!isOver()) {
    await sleep(chance.between(...pauseMs))
    const i = chance.between(0, processes.length)
    const victim = processes[i] as Process
    if (chance.happens(0.3)) {
      victim.process.kill('SIGSTOP')
      await sleep(chance.between(500, 3000))
      victim.process.kill('SIGCONT')
      done.freezes++
    } else {
      await victim.kill('SIGKILL')
      processes[i] = await start()
      done.kills++
    }
  }
  return done
}

/** Counts how often the relay of the queue moves to another replica. */
export function countHandOvers (redis: Redis) {
  const holders = new Set<string>()
  const timer = setInterval(() => {
    redis.get(relayLeaseKey('default')).then(holder => holder && holders.add(holder), () => {})
  }, 100)
  return {
    get handOvers () { return Math.max(0, holders.size - 1) },
    stop: () => clearInterval(timer)
  }
}
