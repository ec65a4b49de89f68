import { Agent, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { GatewayBalancer } from '../gateway-balancer.ts'
import type { EdgeConfig } from '../config.ts'
import { requestIdOf } from '../request-id.ts'
import { serviceOf, type ServiceName } from '../routes.ts'
import { answerPreflight, isPreflight, sendOwn, type OwnProblem } from './answers.ts'
import { exchange, type Failure } from './exchange.ts'
import { forwardedHeaders } from './headers.ts'

/** How often a waiting request is tried again. */
const RETRY_MS = 250
/** A request whose connection was reset this often may itself be the cause. */
const MAX_BROKEN = 3

interface ForwarderOptions { config: EdgeConfig, balancer: GatewayBalancer, log: () => FastifyBaseLogger }

export interface Forwarder {
  /** Forwards a request that belongs to a service; returns false where it belongs to none. */
  forward: (request: IncomingMessage, response: ServerResponse) => boolean
  close: () => void
}

/** Forwards requests to the services. While a service is down they wait, since it may restart within seconds. */
export function createForwarder ({ config, balancer, log }: ForwarderOptions): Forwarder {
  // Each long poll and each stream needs a connection of its own: as many as there are clients.
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 256 })
  const closing = new AbortController()
  let held = 0

  return {
    forward (request, response) {
      const service = serviceOf(request.url ?? '')
      if (service === undefined) return false
      request.on('error', () => {}) // the client has gone; the `close` event of the response handles that
      send(service, request, response).catch(err => {
        log().error({ err, service }, 'forwarding failed')
        response.destroy()
      })
      return true
    },
    close () {
      closing.abort()
      agent.destroy()
    }
  }

  async function send (service: ServiceName, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = requestIdOf(request)
    const headers = forwardedHeaders(request, id)
    const isStream = service === 'realtime-gateway' && isEventStream(request)
    const deadline = Date.now() + config.holdMs
    let failure: Failure
    let broken = 0

    for (let tries = 1; ; tries++) {
      const { origin, added } = targetOf(service, request)
      const isRefusal = ({ statusCode }: IncomingMessage) => isStream && statusCode === 503
      const outcome = await exchange({ request, response, origin, headers, agent, added, isRefusal })
      if (!('error' in outcome)) return
      failure = outcome
      if (service === 'realtime-gateway') balancer.unready(origin)
      log().warn({ err: failure.error, service, id }, 'service is not reachable')
      if (failure.kind !== 'unsent') break
      if (isBroken(failure.error) && ++broken >= MAX_BROKEN) break
      if (service === 'realtime-gateway' && tries < config.gateways.length) continue
      if (isPreflight(request) || !await hold(deadline, response)) break
    }
    if (response.destroyed) return
    if (isPreflight(request)) return answerPreflight(request, response, config)
    // An EventSource gives up for good at any status but 200, and reconnects after a lost connection.
    if (isStream) {
      response.destroy()
      return
    }
    sendOwn(request, response, { config, id, problem: unreachable(service, failure) })
  }

  /** Waits for the next try; resolves with false when there is none. */
  async function hold (deadline: number, response: ServerResponse): Promise<boolean> {
    if (Date.now() + RETRY_MS > deadline || held >= config.heldMax || response.destroyed) return false
    held++
    try {
      await sleep(RETRY_MS, undefined, { signal: closing.signal })
      return !response.destroyed
    } catch {
      return false // the edge is closing
    } finally {
      held--
    }
  }

  function targetOf (service: ServiceName, request: IncomingMessage): { origin: string, added: string[] } {
    if (service === 'jobs-api') return { origin: config.jobsApi, added: [] }
    if (service === 'webhook-dispatcher') return { origin: config.dispatcher, added: [] }
    const origin = balancer.pick(request)
    const cookie = request.url?.startsWith('/socket.io') ? balancer.cookie(origin) : undefined
    return { origin, added: cookie === undefined ? [] : ['set-cookie', cookie] }
  }
}

function isEventStream ({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && /\btext\/event-stream\b/.test(headers.accept ?? '')
}

function isBroken (error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'ECONNRESET'
}

function unreachable (service: ServiceName, { kind }: Failure): OwnProblem {
  return kind === 'late'
    ? { status: 504, code: 'gateway-timeout', detail: `${service} did not respond in time; try again in a moment` }
    : { status: 502, code: 'bad-gateway', detail: `${service} is not reachable; try again in a moment` }
}
