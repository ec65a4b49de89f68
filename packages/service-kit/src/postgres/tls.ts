import { readFileSync } from 'node:fs'
import type { Options } from 'postgres'

type TlsOptions = Pick<Options<Record<string, never>>, 'ssl'> & { sslnegotiation?: 'direct' }

/** Values of `ssl` and `sslaccept` (JDBC, node-postgres, Prisma) as libpq's modes. */
const MODES: Record<string, string> = {
  true: 'require',
  1: 'require',
  'no-verify': 'require',
  accept_invalid_certs: 'require',
  false: 'disable',
  0: 'disable',
  strict: 'verify-full'
}
const LIBPQ_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']

/**
 * TLS as libpq interprets `sslmode`: `require` encrypts and verifies nothing (unless `sslrootcert` is given),
 * `verify-full` verifies. Without a mode TLS is used where the server offers it, as libpq does, but not for local
 * hosts.
 */
export function tlsOf (
  query: URLSearchParams, { isLocal }: { isLocal: boolean }
): { options: TlsOptions, faults: string[] } {
  const asked = query.get('sslmode') ?? query.get('ssl') ?? undefined
  const mode = modeOf(query, asked, isLocal)
  if (!LIBPQ_MODES.includes(mode)) {
    return { options: {}, faults: [`DATABASE_URL: sslmode must be one of: ${LIBPQ_MODES.join(', ')}, no-verify`] }
  }
  if (mode === 'disable') return { options: { ssl: false }, faults: [] }
  const negotiation = query.get('sslnegotiation') === 'direct' ? { sslnegotiation: 'direct' as const } : {}
  const files = filesOf(query)
  if (files.faults.length > 0) return { options: {}, faults: files.faults }
  const isPlain = Object.keys(files.read).length === 0
  if (isPlain && (mode === 'allow' || mode === 'prefer' || mode === 'require')) {
    return { options: { ssl: mode, ...negotiation }, faults: [] }
  }
  const verifies = mode.startsWith('verify') || files.read.ca !== undefined
  return {
    options: {
      ssl: {
        ...files.read,
        rejectUnauthorized: verifies,
        // A certificate of the given authority is accepted for any name.
        ...(verifies && mode !== 'verify-full' && { checkServerIdentity: () => undefined })
      },
      ...negotiation
    },
    faults: []
  }
}

function modeOf (query: URLSearchParams, asked: string | undefined, isLocal: boolean): string {
  const strictness = query.get('sslaccept')
  // Prisma writes both: `sslaccept` says how strict `require` is.
  if (strictness && (asked === undefined || asked === 'require')) return MODES[strictness] ?? strictness
  if (asked !== undefined) return MODES[asked] ?? asked
  if (query.has('sslrootcert')) return 'verify-full'
  return isLocal ? 'disable' : 'prefer'
}

type Files = { ca?: string, cert?: string, key?: string, passphrase?: string }

function filesOf (query: URLSearchParams): { read: Files, faults: string[] } {
  const read: Files = {}
  const faults: string[] = []
  for (const [parameter, name] of [['sslrootcert', 'ca'], ['sslcert', 'cert'], ['sslkey', 'key']] as const) {
    const file = query.get(parameter)
    if (!file || file === 'system') continue
    try {
      read[name] = readFileSync(file, 'utf8')
    } catch (err) {
      faults.push(`DATABASE_URL: ${parameter} cannot be read: ${(err as Error).message}`)
    }
  }
  const passphrase = query.get('sslpassword')
  if (passphrase) read.passphrase = passphrase
  return { read, faults }
}
