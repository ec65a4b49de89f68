import { request as sendRequest, STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream'
import { corsHeaders, rawProblem } from '@tidings/service-kit'
import fp from 'fastify-plugin'
import type { EdgeConfig } from './config.ts'
import { endToEnd, forwardedHeaders } from './forward/headers.ts'
import type { GatewayBalancer } from './gateway-balancer.ts'
import { requestIdOf } from './request-id.ts'
import { targetOf } from './routes.ts'

const CONNECT_TIMEOUT_MS = 2_000

interface UpgradesOptions { config: EdgeConfig, balancer: GatewayBalancer }
interface Upgrade { request: IncomingMessage, client: Duplex, head: Buffer, gateway: string }

/**
 * WebSockets: once a gateway has accepted one, the edge joins the two connections byte for byte. It does not implement
 * the protocol itself: it would accept before the gateway does and choose the subprotocol, and it would queue frames
 * without bound, so that the gateway could not detect a slow client.
 */
export const upgrades = fp<UpgradesOptions>(async function upgrades (app, { config, balancer }) {
  const open = new Set<Duplex>()
  app.addHook('preClose', async () => { for (const socket of open) socket.destroy() })

  // Only requests that `webSocketsAt` admits reach this listener.
  app.server.on('upgrade', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    open.add(client)
    client.once('close', () => open.delete(client))
    client.on('error', err => app.log.debug({ err }, 'client failed')) // Node has removed its own listener
    join({ request, client, head, tries: config.gateways.length })
  })

  function join ({ tries, ...upgrade }: Omit<Upgrade, 'gateway'> & { tries: number }) {
    const gateway = balancer.pick(upgrade.request)
    tunnel({ ...upgrade, gateway }, err => {
      balancer.unready(gateway)
      app.log.warn({ err, service: 'realtime-gateway' }, 'service is not reachable')
      if (upgrade.client.destroyed) return
      if (tries > 1) return join({ ...upgrade, tries: tries - 1 })
      upgrade.client.end(rawProblem({
        status: 502,
        code: 'bad-gateway',
        detail: 'realtime-gateway is not reachable; try again in a moment',
        headers: [['retry-after', '1'], ...corsHeaders(config)(upgrade.request.headers.origin)]
      }))
    })
  }
}, { name: 'upgrades' })

function tunnel ({ request, client, head, gateway }: Upgrade, onUnreachable: (err: Error) => void): void {
  const { hostname, port } = new URL(gateway)
  const outgoing = sendRequest({
    host: hostname.replace(/^\[|\]$/g, ''),
    port,
    method: request.method,
    path: targetOf(request.url ?? '/'),
    headers: { ...forwardedHeaders(request, requestIdOf(request)), connection: 'Upgrade', upgrade: 'websocket' },
    agent: false
  })
  const timeOut = () => outgoing.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`))
  const timer = setTimeout(timeOut, CONNECT_TIMEOUT_MS)
  const clientGone = () => outgoing.destroy()
  client.once('close', clientGone)
  outgoing.once('socket', socket => socket.once('connect', () => clearTimeout(timer)))
  outgoing.once('close', () => clearTimeout(timer))
  outgoing.on('error', err => { if (!client.destroyed) onUnreachable(err) })

  outgoing.once('upgrade', (response, upstream, first) => {
    client.off('close', clientGone)
    client.write(headOf(response, ['connection', 'Upgrade', 'upgrade', response.headers.upgrade ?? 'websocket']))
    if (first.length > 0) client.write(first)
    if (head.length > 0) upstream.write(head)
    // Pipes slow down the faster side, and forward an end after everything before it is written.
    client.pipe(upstream).pipe(client)
    client.once('finish', () => client.destroy()) // without waiting for the client to close its side
    upstream.once('error', () => client.destroy())
    upstream.once('close', () => { if (!upstream.readableEnded) client.destroy() })
    for (const event of ['error', 'close']) client.once(event, () => upstream.destroy())
  })
  // A refusal ends the connection: bytes that the client sent after its request would reach the gateway at any path.
  outgoing.once('response', response => {
    client.write(headOf(response, ['connection', 'close']))
    pipeline(response, client, () => client.destroy())
  })
  outgoing.end()
}

function headOf (response: IncomingMessage, added: string[]): string {
  const { statusCode = 502, statusMessage = STATUS_CODES[statusCode], rawHeaders } = response
  const headers = [...endToEnd(rawHeaders), ...added]
  const lines = headers.flatMap((name, index) => index % 2 === 0 ? [`${name}: ${headers[index + 1]}`] : [])
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('\r\n')}\r\n\r\n`
}
