import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { startPostgres, startStandby, type TestContext, type TestPostgres } from '@tidings/testing'
import { startTcpProxy } from './tcp-proxy.ts'

/** Segments are few and reused, so that a disk that is full is so for them too. */
const SETTINGS = { max_connections: '100', max_wal_size: '64MB', min_wal_size: '32MB' }

/** A standby that does not follow any more. */
export interface LaggingStandby {
  /** SIGKILL of the primary, whose data is gone; resolves when the standby has its address and accepts writes. */
  takeOver: () => Promise<void>
}

/** Postgres at an address of its own, behind which another server may take over. */
export interface ChaosPostgres extends Pick<TestPostgres,
  'url' | 'isRunning' | 'pause' | 'resume' | 'kill' | 'stop' | 'start'> {
  /** The port of the server that is the primary now. */
  readonly serverPort: number
  /** Starts a standby, and ends its replication once it streams. */
  startLaggingStandby: () => Promise<LaggingStandby>
}

/** Starts Postgres, with its data in a folder of `folder`, or in a temporary one. */
export async function startChaosPostgres (t: TestContext, folder?: string): Promise<ChaosPostgres> {
  let server = await startPostgres(t, { settings: SETTINGS, ...(folder !== undefined && { folder }) })
  const address = await startTcpProxy(t, () => [server.port])
  const url = new URL(server.url)
  url.port = String(address.port)

  async function startLaggingStandby (): Promise<LaggingStandby> {
    const primary = server
    const standby = await startStandby(t, primary, { settings: SETTINGS, folder: dirname(primary.dir) })
    await standby.cutOff()
    return {
      takeOver: async () => {
        await primary.kill()
        await standby.promote()
        server = standby
        await rm(primary.dir, { recursive: true, force: true })
      }
    }
  }

  return {
    url: url.href,
    get serverPort () { return server.port },
    get isRunning () { return server.isRunning },
    pause: () => server.pause(),
    resume: () => server.resume(),
    kill: async () => await server.kill(),
    stop: async () => await server.stop(),
    start: async () => await server.start(),
    startLaggingStandby
  }
}
