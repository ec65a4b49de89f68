import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'

const DEFAULT_PORT = 6379
const SENTINEL_PORT = 26379
/** The name in Sentinel's own example configuration. */
const DEFAULT_MASTER = 'mymaster'

/** `redis+cluster://`, or `redis-cluster://` as others write it; with `rediss` all connections use TLS. */
export const REDIS_URL_PATTERN = '^(rediss?([+-](cluster|sentinel))?://.|unix:///.)'
const URL_FORM =
  /^(redis(s?)(?:[+-](cluster|sentinel))?|unix):\/\/(?:(.*)@)?([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?(?:#(.*))?$/

type Node = { host: string, port: number }
type Login = { username?: string, password?: string }

export type RedisTarget = {
  kind: 'single' | 'cluster' | 'sentinel'
  nodes: Node[]
  /** The path of a Unix socket. */
  path?: string
  login: Login
  sentinelLogin: Login
  /** Sentinel's name of the primary. */
  master: string
  db: number
  /** An IP version, as in the URLs of other clients; 0: both. */
  family?: number
  tls?: ConnectionOptions
  /** Why the URL cannot be used; empty for a usable one. */
  faults: string[]
}

/** Reads a Redis URL: one server, the nodes of a Cluster, or Sentinels. */
export function redisTarget (url: string): RedisTarget {
  const parts = URL_FORM.exec(url) ?? []
  const [, scheme = '', secure, kind = 'single', userInfo = '', authority = '', path = '', search = '', fragment = ''] =
    parts
  const query = new URLSearchParams(search)
  const segments = path.split('/').filter(Boolean).map(decoded)
  const isSentinel = kind === 'sentinel'
  // /mymaster/0, or /0#mymaster as Lettuce writes it.
  const master = decoded(fragment) || (isSentinel && segments[0] && !isNumber(segments[0])
    ? segments[0]
    : query.get('master') ?? query.get('name') ?? DEFAULT_MASTER)
  const database = segments.find((segment, i) => isNumber(segment) || (!isSentinel && i === 0)) ??
    query.get('db') ?? '0'
  const nodes = authority.split(',').map(text => nodeOf(text, isSentinel ? SENTINEL_PORT : DEFAULT_PORT))
  const isTls = secure === 's' || query.get('tls') === 'true' || query.get('ssl') === 'true'
  const tls = isTls ? tlsOf(query) : {}
  const isSocket = scheme === 'unix'

  return {
    kind: kind as RedisTarget['kind'],
    nodes,
    ...(isSocket && { path: decoded(path) }),
    login: loginOf(userInfo, query),
    sentinelLogin: {
      ...(query.has('sentinelUsername') && { username: query.get('sentinelUsername') as string }),
      ...(query.has('sentinelPassword') && { password: query.get('sentinelPassword') as string })
    },
    master,
    db: isSocket ? Number(query.get('db') ?? 0) : Number(database),
    ...(query.has('family') && { family: Number(query.get('family')) }),
    ...(tls.options && { tls: tls.options }),
    faults: [
      ...(tls.fault ? [tls.fault] : []),
      ...(isSocket ? [] : nodeFaults(nodes)),
      ...(kind === 'single' && nodes.length > 1
        ? ['REDIS_URL names several hosts: write redis+cluster:// or redis+sentinel:// instead of redis://']
        : []),
      ...(isSocket || isNumber(database) ? [] : [`REDIS_URL: "${database}" is not a database number`]),
      ...(kind === 'cluster' && Number(database) !== 0 ? ['REDIS_URL: a Cluster has database 0 only'] : [])
    ]
  }
}

function nodeOf (text: string, defaultPort: number): Node {
  const [, bracketed, bare, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(text) ?? [text, undefined, text]
  return { host: bracketed ?? (bare || '127.0.0.1'), port: Number(port || defaultPort) }
}

function nodeFaults (nodes: Node[]): string[] {
  return nodes.filter(({ port }) => !(Number.isInteger(port) && port > 0 && port < 65536))
    .map(({ host }) => `REDIS_URL: the port of ${host} is not a number from 1 to 65535`)
}

/** `:password@`, `user:password@`; a lone text is a user, as in other URLs. */
function loginOf (userInfo: string, query: URLSearchParams): Login {
  const colon = userInfo.indexOf(':')
  const username = decoded(colon < 0 ? userInfo : userInfo.slice(0, colon)) || query.get('username') ||
    query.get('user')
  const password = (colon < 0 ? '' : decoded(userInfo.slice(colon + 1))) || query.get('password')
  return { ...(username && { username }), ...(password && { password }) }
}

function tlsOf (query: URLSearchParams): { options?: ConnectionOptions, fault?: string } {
  const file = query.get('cafile') ?? query.get('ssl_ca_certs')
  const unverified = query.get('rejectUnauthorized') === 'false' || /^(cert_)?none$/i.test(
    query.get('ssl_cert_reqs') ?? ''
  )
  try {
    return {
      options: {
        ...(file && { ca: readFileSync(file, 'utf8') }), ...(unverified && { rejectUnauthorized: false })
      }
    }
  } catch (err) {
    return { fault: `REDIS_CA_FILE cannot be read: ${(err as Error).message}` }
  }
}

const isNumber = (text: string) => /^\d{1,5}$/.test(text)

function decoded (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a stray % was never encoded
  }
}
