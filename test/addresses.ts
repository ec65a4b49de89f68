import { serviceOf, type System } from '@tidings/local'
import type { TestContext } from '@tidings/testing'
import { skipWithoutCaddy, startCaddy } from './edges/caddy.ts'

export interface Address {
  name: 'the services' | 'the edge' | 'Caddy'
  skip: string | false
  origin: (path: string) => string
}

/** The address of the service that serves a path. */
export function serviceAddress ({ endpoints }: System, path: string): string {
  const service = serviceOf(path) ?? 'jobs-api'
  return endpoints[service === 'realtime-gateway' ? 'realtime-gateway-1' : service] as string
}

/** Every address through which clients may reach a system. The same must hold at all of them. */
export async function addressesOf (
  t: TestContext,
  system: System,
  env: Record<string, string> = {}
): Promise<Address[]> {
  const caddy = skipWithoutCaddy ? '' : await startCaddy(t, system, env)
  return [
    { name: 'the services', skip: false, origin: path => serviceAddress(system, path) },
    { name: 'the edge', skip: false, origin: () => system.endpoints.edge as string },
    { name: 'Caddy', skip: skipWithoutCaddy, origin: () => caddy }
  ]
}
