import { freePort, isPortFree } from '@tidings/dev-servers'

const DEFAULT_PORT = 4000
const PROBE_TIMEOUT_MS = 1_000
const REDIS_OFFSET = 79 // 4079 and 4032 recall 6379 and 5432
const POSTGRES_OFFSET = 32
const MAX_GATEWAYS = POSTGRES_OFFSET - 3

export interface Ports {
  edge: number
  jobsApi: number
  gateways: number[]
  dispatcher: number
  redis: number
  postgres: number
}

/** The ports of a system: PORT and the ones after it, unless a service has a variable of its own. */
export function fixedPorts (env: NodeJS.ProcessEnv, gateways: number): Ports {
  if (!Number.isInteger(gateways) || gateways < 1 || gateways > MAX_GATEWAYS) {
    throw new Error(`The number of gateways must be from 1 to ${MAX_GATEWAYS}`)
  }
  const edge = portOf(env, 'PORT') ?? DEFAULT_PORT
  const first = portOf(env, 'REALTIME_GATEWAY_PORT') ?? edge + 2
  return {
    edge,
    jobsApi: portOf(env, 'JOBS_API_PORT') ?? edge + 1,
    gateways: Array.from({ length: gateways }, (_, index) => index === 0 ? first : edge + 3 + index),
    dispatcher: portOf(env, 'WEBHOOK_DISPATCHER_PORT') ?? edge + 3,
    redis: edge + REDIS_OFFSET,
    postgres: edge + POSTGRES_OFFSET
  }
}

/** Ports that are free at this moment, for a system beside others. */
export async function freePorts (gateways: number): Promise<Ports> {
  type Numbers = [number, number, number, number, number, ...number[]]
  const [edge, jobsApi, dispatcher, redis, postgres, ...rest] = await distinctPorts(5 + gateways) as Numbers
  return { edge, jobsApi, dispatcher, redis, postgres, gateways: rest }
}

export interface WantedPort { name: string, port: number, speaksHttp: boolean }

/** Rejects with the names of all ports that cannot be used. */
export async function refuseUnusablePorts (wanted: WantedPort[]): Promise<void> {
  const faults: string[] = []
  for (const { name, port, speaksHttp } of wanted) {
    if (!await isFreeOnLoopback(port)) faults.push(`Port ${port} (${name}) is taken.`)
    else if (speaksHttp &&
      await isBlocked(port)) faults.push(`Browsers and fetch refuse to call port ${port} (${name}).`)
  }
  if (faults.length === 0) return
  throw new Error(
    `${faults.join('\n')}\nStop the other program, or use other ports: PORT=5000 npm start moves all of them.`
  )
}

/**
 * The fetch standard blocks the ports of other protocols (6000 is X11's). Nothing listens there, so nothing is sent.
 */
async function isBlocked (port: number): Promise<boolean> {
  try {
    await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) })
    return false
  } catch (err) {
    return (err as { cause?: Error }).cause?.message === 'bad port'
  }
}

async function isFreeOnLoopback (port: number): Promise<boolean> {
  if (!await isPortFree(port)) return false
  return await isPortFree(port, '::1').catch(() => true) // no IPv6 on this machine
}

async function distinctPorts (count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) ports.add(await freePort())
  return [...ports]
}

function portOf (env: NodeJS.ProcessEnv, name: string): number | undefined {
  const text = env[name]
  if (text === undefined || text === '') return undefined
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65_000) {
    throw new Error(`${name} must be a port from 1 to 65000, not ${text}`)
  }
  return port
}
