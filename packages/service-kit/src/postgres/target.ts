import { isIP } from 'node:net'
import type { Options } from 'postgres'
import { passwordOf } from './password-file.ts'
import { tlsOf } from './tls.ts'

const DEFAULT_PORT = 5432
const URL_FORM = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(?:\/([^?#]*))?(?:\?(.*))?$/
/** A password with an unencoded `@`, `/`, `?` or `#`: the last `@` ends it. */
const LENIENT_FORM = /^postgres(?:ql)?:\/\/(.*)@([^@/?#]*)(?:\/([^?#]*))?(?:\?(.*))?$/

/** Parameters that Postgres accepts at the start of a connection. */
const SERVER_SETTINGS = [
  'application_name', 'options', 'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'
]
const TLS_SETTINGS = [
  'sslmode', 'ssl', 'sslrootcert', 'sslcert', 'sslkey', 'sslpassword', 'sslaccept', 'sslnegotiation'
]
const OWN_SETTINGS = ['host', 'port', 'user', 'password', 'dbname', 'connect_timeout', 'target_session_attrs']
const SESSION_ATTRS = ['read-write', 'read-only', 'primary', 'standby', 'prefer-standby']

type Host = { host: string, port: number }

export type PostgresTarget = {
  /** Connection options for postgres.js. */
  options: Options<Record<string, never>>
  /** Why the URL cannot be used; empty for a usable one. */
  faults: string[]
  /** Parameters of other clients (`schema`, `pgbouncer`, `connection_limit`, …). */
  ignored: string[]
}

/**
 * Parses a connection string as hosting providers, libpq and ORMs write it. postgres.js would send unknown parameters
 * to the server, which then refuses the connection.
 */
export function postgresTarget (url: string, env: NodeJS.ProcessEnv = process.env): PostgresTarget {
  const [, userInfo = '', authority = '', path = '', search = ''] = URL_FORM.exec(url) ?? LENIENT_FORM.exec(url) ?? []
  const query = new URLSearchParams(search)
  const [user, password] = userOf(userInfo, query, env)
  const hosts = hostsOf(authority, query, env)
  const database = decoded(path) || query.get('dbname') || env.PGDATABASE || user
  const [first] = hosts as [Host]
  const isLocal = hosts.every(({ host }) => host.startsWith('/') || isLoopback(host))
  const tls = tlsOf(query, { isLocal })
  const attributes = sessionAttributes(query, hosts)

  return {
    options: {
      ...(first.host.startsWith('/')
        ? { host: first.host, path: `${first.host}/.s.PGSQL.${first.port}` }
        // The types of postgres.js know one host only.
        : {
            host: hosts.map(({ host }) => host) as unknown as string,
            port: hosts.map(({ port }) =>
              port) as unknown as number
          }),
      ...(user && { user }),
      ...(database && { database }),
      password: password ?? passwordOf({ ...first, user, database }, env),
      ...tls.options,
      ...(attributes && { target_session_attrs: attributes as 'primary' }),
      ...(Number(query.get('connect_timeout')) > 0 && { connect_timeout: Number(query.get('connect_timeout')) }),
      connection: {
        application_name: 'tidings',
        ...Object.fromEntries(
          SERVER_SETTINGS.flatMap(name => query.has(name) ? [[name, query.get(name) as string]] : [])
        )
      }
    },
    faults: [...hostFaults(hosts), ...poolerFaults(hosts), ...tls.faults, ...attributeFaults(query)],
    ignored: [...query.keys()].filter(name => ![...SERVER_SETTINGS, ...TLS_SETTINGS, ...OWN_SETTINGS].includes(name))
  }
}

function userOf (
  userInfo: string, query: URLSearchParams, env: NodeJS.ProcessEnv
): [user: string | undefined, password: string | undefined] {
  const colon = userInfo.indexOf(':')
  const user = decoded(colon < 0 ? userInfo : userInfo.slice(0, colon))
  const password = colon < 0 ? '' : decoded(userInfo.slice(colon + 1))
  return [user || query.get('user') || env.PGUSER ||
    undefined, password || query.get('password') || env.PGPASSWORD || undefined]
}

function hostsOf (authority: string, query: URLSearchParams, env: NodeJS.ProcessEnv): Host[] {
  const ports = (query.get('port') ?? env.PGPORT ?? '').split(',')
  const texts = (authority || query.get('host') || env.PGHOST || 'localhost').split(',')
  return texts.map((text, i) => {
    const [, bracketed, bare = '', port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(text) ?? [text, undefined, text]
    return {
      host: bracketed ?? (decoded(bare) || query.get('host') || 'localhost'),
      port: Number(
        port || ports[i] || ports[0] || DEFAULT_PORT
      )
    }
  })
}

/** A text with a stray `%` was never encoded. */
function decoded (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function isLoopback (host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** Of several hosts the writable one: replicas would refuse every statement. */
function sessionAttributes (query: URLSearchParams, hosts: Host[]): string | undefined {
  const wanted = query.get('target_session_attrs') ?? (hosts.length > 1 ? 'read-write' : 'any')
  return SESSION_ATTRS.includes(wanted) ? wanted : undefined
}

function attributeFaults (query: URLSearchParams): string[] {
  const wanted = query.get('target_session_attrs')
  if (wanted === null || wanted === 'any' || SESSION_ATTRS.includes(wanted)) return []
  return [`DATABASE_URL: target_session_attrs must be one of: any, ${SESSION_ATTRS.join(', ')}`]
}

function hostFaults (hosts: Host[]): string[] {
  return hosts.filter(({ port }) => !(Number.isInteger(port) && port > 0 && port < 65536))
    .map(({ host }) => `DATABASE_URL: the port of ${host} is not a number from 1 to 65535; ` +
      'characters such as : / @ # of a password must be URL-encoded')
}

/**
 * Poolers whose address shows that they pool transactions; others are detected at the start
 * (`refuseTransactionPooling`).
 */
function poolerFaults (hosts: Host[]): string[] {
  return hosts.flatMap(({ host, port }) => {
    if (/\.supabase\.(com|co|net)$/.test(host) && port === 6543) {
      return ['DATABASE_URL: port 6543 of Supabase pools transactions, which loses LISTEN, advisory locks and ' +
        'prepared statements; use the session pooler (port 5432) or the direct connection']
    }
    if (/-pooler\..*neon\.tech$/.test(host)) {
      return ['DATABASE_URL: a "-pooler" host of Neon pools transactions, which loses LISTEN, advisory locks and ' +
        'prepared statements; use the connection string without "-pooler"']
    }
    return []
  })
}
