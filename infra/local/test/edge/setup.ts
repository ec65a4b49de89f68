import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { readDashboardConfig } from '../../src/edge/dashboard-config.ts'
import { buildEdge } from '../../src/edge/app.ts'
import type { EdgeConfig } from '../../src/edge/config.ts'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

async function upstream (t: Test, handler: Handler): Promise<{ url: string, server: Server }> {
  const server = createServer(handler)
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}

/** Responds with its name and the request. */
export const named = (name: string): Handler => (request, response) => {
  let body = ''
  request.on('data', chunk => { body += chunk })
  request.on('end', () => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ name, method: request.method, url: request.url, headers: request.headers, body }))
  })
}

export interface Setup { gateways?: string[], handler?: (name: string) => Handler, config?: Partial<EdgeConfig> }

export async function setup (t: Test, { gateways = ['gateway'], handler = named, config = {} }: Setup = {}) {
  const jobsApi = await upstream(t, handler('jobs-api'))
  const dispatcher = await upstream(t, handler('dispatcher'))
  const gatewayServers = await Promise.all(gateways.map(name => upstream(t, handler(name))))
  const app = buildEdge({
    host: '127.0.0.1',
    port: 0,
    logLevel: 'silent',
    holdMs: 0,
    heldMax: 10,
    NODE_ENV: 'test',
    dashboard: readDashboardConfig({}, []),
    ...config,
    jobsApi: jobsApi.url,
    dispatcher: dispatcher.url,
    gateways: gatewayServers.map(({ url }) => url)
  })
  t.teardown(() => app.close())
  const origin = await app.listen({ host: '127.0.0.1', port: 0 })
  const ask = async (path: string, init?: RequestInit) => await (await fetch(origin + path, init)).json() as Answer
  return { app, origin, ask, jobsApi, dispatcher, gatewayServers }
}

export interface Answer { name: string, method: string, url: string, headers: Record<string, string>, body: string }

/** Ends a server like a kill of its process. */
export function kill ({ server }: { server: Server }) {
  server.close()
  server.closeAllConnections()
}
