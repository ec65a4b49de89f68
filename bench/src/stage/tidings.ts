import { startSystem } from '@tidings/local'
import type { System } from '@tidings/local'
import type { Side } from './side.ts'

export interface TidingsOptions { folder: string, env: NodeJS.ProcessEnv, gateways?: number, signal: AbortSignal }

/** The system of `npm start`, without the sample worker. Clients go to the services, past the edge. */
export async function startTidings ({ folder, env, gateways = 1, signal }: TidingsOptions): Promise<{ side: Side, system: System }> {
  const system = await startSystem({ folder, env, gateways, ports: 'free', worker: false, signal, report: line => console.error(line) })
  const { endpoints } = system
  const services = [...system.processes.values()].filter(({ name }) => name !== 'edge')
  const side: Side = {
    name: 'Tidings',
    queue: 'default',
    jobs: endpoints['jobs-api'] as string,
    sockets: endpoints['realtime-gateway-1'] as string,
    webhooks: endpoints['webhook-dispatcher'] as string,
    protocol: 'tidings',
    token: user => system.token(user),
    processes: () => services.map(({ name, pid }) => ({ name, pid }))
  }
  return { side, system }
}
