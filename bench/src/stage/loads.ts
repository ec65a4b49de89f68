import { startLoad } from '../load/start-load.ts'
import type { Load } from '../load/start-load.ts'
import type { PollersCommands } from '../load/pollers/process.ts'
import type { RelayCommands } from '../load/relay/process.ts'
import type { SinkCommands } from '../load/sink/process.ts'
import type { SocketsCommands } from '../load/sockets/process.ts'
import type { WorkerCommands } from '../load/worker/process.ts'

/** The load processes of all scenarios. Idle, they cost nothing. */
export interface Loads {
  worker: Load<WorkerCommands>
  sockets: Load<SocketsCommands>
  sink: Load<SinkCommands>
  pollers: Load<PollersCommands>
  relay: Load<RelayCommands>
  /** Where the sink listens. */
  sinkOrigin: string
  all: { name: string, pid: number }[]
  stop: () => Promise<void>
}

const entry = (name: string) => new URL(`../load/${name}/process.ts`, import.meta.url)

export async function startLoads (): Promise<Loads> {
  const [worker, sockets, sink, pollers, relay] = await Promise.all([
    startLoad<WorkerCommands>('worker', entry('worker')),
    startLoad<SocketsCommands>('sockets', entry('sockets')),
    startLoad<SinkCommands>('sink', entry('sink')),
    startLoad<PollersCommands>('pollers', entry('pollers')),
    startLoad<RelayCommands>('relay', entry('relay'))
  ])
  const all = [worker, sockets, sink, pollers, relay]
  return {
    worker,
    sockets,
    sink,
    pollers,
    relay,
    sinkOrigin: await sink.ask('listen'),
    all,
    stop: async () => { await Promise.all(all.map(load => load.stop())) }
  }
}
