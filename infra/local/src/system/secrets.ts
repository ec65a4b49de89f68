import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'

/** The user may set these. WEBHOOK_SECRET_KEY encrypts the signing secrets of webhooks at rest. */
const SETTABLE = ['TOKEN_SECRET', 'REFRESH_TOKEN_SECRET', 'WEBHOOK_SECRET_KEY'] as const
/** With those of the embedded servers: Postgres keeps its initial password, so no variable changes it. */
const NAMES = [...SETTABLE, 'POSTGRES_PASSWORD', 'REDIS_PASSWORD'] as const
const BYTES = 32

export type Secrets = Record<typeof NAMES[number], string>

/** The secrets of a local system: from the environment, else from the folder, where the first start generates them. */
export function readSecrets (folder: string, env: NodeJS.ProcessEnv): Secrets {
  const file = join(folder, 'secrets')
  const kept = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}
  const all = Object.fromEntries(NAMES.map(name => [
    name,
    kept[name] ?? randomBytes(BYTES).toString('base64url')
  ])) as Secrets
  if (NAMES.some(name => kept[name] === undefined)) keep(file, { folder, all })
  return { ...all, ...Object.fromEntries(SETTABLE.filter(name => env[name]).map(name => [name, env[name]])) }
}

function keep (file: string, { folder, all }: { folder: string, all: Secrets }): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, NAMES.map(name => `${name}=${all[name]}\n`).join(''), { mode: 0o600 })
  chmodSync(file, 0o600) // writing to an existing file keeps its mode
}
