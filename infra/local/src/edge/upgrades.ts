import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { PROBLEM_JSON } from '@tidings/contracts'
import fp from 'fastify-plugin'
import type { GatewayBalancer } from './gateway-balancer.ts'

const CONNECT_TIMEOUT_MS = 2_000

/**
 * WebSockets, handed through byte for byte after the request's head. Not @fastify/http-proxy's own WebSocket proxy:
 * that accepts before the gateway has, so a refused token looks like a broken connection and the subprotocol is chosen
 * here; and it queues frames without bound, so the gateway could never tell that a client is slow.
 */
export const upgrades = fp<UpgradesOptions>(async function upgrades (app, { gateways, balancer }) {
  const open = new Set<Duplex>()
  app.addHook('preClose', async () => { for (const socket of open) socket.destroy() })

  app.server.on('upgrade', (request: IncomingMessage, client: Duplex, head: Buffer) => {
    open.add(client)
    client.once('close', () => open.delete(client))
    client.on('error', err => app.log.debug({ err }, 'client failed')) // Node has taken its own listener off
    if (!/^\/(socket\.io\/|ws(\?|$))/.test(request.url ?? '')) {
      refuse(client, { status: 404, title: 'Not Found', detail: 'No WebSocket is served here' })
      return
    }
    join({ request, client, head, tries: gateways.length })
  })

  function join ({ tries, ...upgrade }: Omit<Upgrade, 'gateway'> & { tries: number }) {
    const gateway = balancer.pick(upgrade.request)
    tunnel({ ...upgrade, gateway }, err => {
      balancer.left(gateway)
      app.log.warn({ err, service: 'realtime-gateway' }, 'service is not reachable')
      if (upgrade.client.destroyed) return
      if (tries > 1) return join({ ...upgrade, tries: tries - 1 })
      refuse(upgrade.client, { status: 502, title: 'Bad Gateway', detail: 'realtime-gateway is not reachable; try again in a moment' })
    })
  }
}, { name: 'upgrades' })

interface UpgradesOptions { gateways: string[], balancer: GatewayBalancer }
interface Upgrade { request: IncomingMessage, client: Duplex, head: Buffer, gateway: string }

function tunnel ({ request, client, head, gateway }: Upgrade, onUnreachable: (err: Error) => void): void {
  const { hostname, port } = new URL(gateway)
  const upstream = connect({ host: hostname, port: Number(port || 80), noDelay: true })
  upstream.setTimeout(CONNECT_TIMEOUT_MS, () => upstream.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`)))
  upstream.once('error', onUnreachable)

  upstream.once('connect', () => {
    upstream.setTimeout(0)
    upstream.off('error', onUnreachable)
    upstream.write(headOf(request))
    upstream.write(head)
    // Pipes hold back the faster side, and pass on an end once all before it is written.
    client.pipe(upstream).pipe(client)
    client.once('finish', () => client.destroy()) // it need not hang up too
    upstream.once('error', () => client.destroy())
    upstream.once('close', () => { if (!upstream.readableEnded) client.destroy() })
  })
  client.once('error', () => upstream.destroy())
  client.once('close', () => upstream.destroy())
}

/** The request's head as it came, with the address of the client added. */
function headOf ({ method, url, rawHeaders, headers, socket }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/1.1`]
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== 'x-forwarded-for') lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`)
  }
  const before = headers['x-forwarded-for']
  lines.push(`x-forwarded-for: ${before === undefined ? '' : `${String(before)}, `}${socket.remoteAddress}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}

function refuse (client: Duplex, { status, title, detail }: { status: number, title: string, detail: string }): void {
  const body = JSON.stringify({ type: `urn:tidings:problem:${title.toLowerCase().replace(' ', '-')}`, title, status, detail })
  client.end([
    `HTTP/1.1 ${status} ${title}`,
    `content-type: ${PROBLEM_JSON}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    body
  ].join('\r\n'))
}
