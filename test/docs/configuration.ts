import { readdirSync, readFileSync } from 'node:fs'
import { root } from '@tidings/local'

export const PAGE = new URL('../../docs/configuration.md', import.meta.url)

type Schema = {
  type?: string
  enum?: string[]
  default?: string | number | boolean
  description?: string
  minimum?: number
  maximum?: number
  pattern?: string
}
type Row = { name: string, services: string[], type: string, fallback: string, what: string }

const EDGES = 'both edges'

/** Variables that no service reads: those of `npm start`, of its edge, of the sample worker and of docker compose. */
const OTHERS: Row[] = [
  other('POSTGRES_PASSWORD', 'docker compose', 'string', 'Password of the database, of letters and digits; required'),
  other(
    'EDGE_HOLD_MS',
    'edge of `npm start`',
    'integer',
    'How long a request waits for a service that is away',
    '10000 (10 s)'
  ),
  other(
    'EDGE_HELD_MAX',
    'edge of `npm start`',
    'integer',
    'Requests that may wait so at a time; more get a 502',
    '1000'
  ),
  other('DASHBOARD_BASE', EDGES, 'string', 'Path of the dashboard in browsers, from slash to slash', '/dashboard/'),
  other('DASHBOARD_TITLE', EDGES, 'string', 'Name at the top of the dashboard', 'Tidings'),
  other('DASHBOARD_LOGO', EDGES, 'string', 'Image beside it: a path of the same origin, or a `data:` URL', 'its own'),
  other('DASHBOARD_ACCENT', EDGES, 'string', 'CSS colour of links and buttons', 'its own'),
  other('DASHBOARD_ENVIRONMENT', EDGES, 'string', 'Badge beside the name, as `production`'),
  other('DASHBOARD_SIGN_IN_URL', EDGES, 'string',
    'Where users get a token; it leads back to `?return`, with `#token=…`'),
  other('DASHBOARD_FRAME_ANCESTORS', EDGES, 'string', 'Origins whose pages may embed it, with spaces between', 'none'),
  other('DASHBOARD_SECTIONS', EDGES, 'string', 'What it shows: some of `jobs`, `webhooks`, `operators`', 'all'),
  other('CSV_FOLDER', 'sample worker', 'string', 'Folder of the CSV files', 'its own sample')
]

/** Sections whose rows name who reads a variable. */
const SHARED = ['Several services', 'Others']

const HEAD = `# Configuration

<!-- Written by \`npm run docs\` from the schemas of the services (src/config.ts of each). Do not edit. -->

Every environment variable, with its default. A service checks its own at the start, before it opens anything, and
reports all faults in one message (exit code 78). An empty variable counts as unset, and a line break at the end of a
value is ignored. [.env.example](../.env.example) is a template; [deploying.md](deploying.md) explains the connection
strings.

A duration is a number with a unit: \`250ms\`, \`10s\`, \`5m\`, \`1h\`, \`5d\`; variables that end in \`_MS\` are milliseconds.
`

/** The page as the schemas of the services have it. */
export async function renderConfiguration (): Promise<string> {
  const names = readdirSync(`${root}/services`).toSorted()
  const services = await Promise.all(names.map(async name => ({ name, properties: await propertiesOf(name) })))
  const rows = merge(services.flatMap(({ name, properties }) =>
    Object.entries(properties).map(([variable, schema]) => rowOf(variable, name, schema))))
  const sections = [
    section('All services', rows.filter(({ services: { length } }) => length === names.length)),
    section('Several services', rows.filter(({ services: { length } }) => length > 1 && length < names.length)),
    ...names.map(
      name => section(name, rows.filter(({ services: [only, ...more] }) => only === name && more.length === 0))
    ),
    section('Others', OTHERS)
  ]
  return [HEAD, ...sections].join('\n')
}

/** All variables that .env.example names. */
export function exampleVariables (): string[] {
  const text = readFileSync(`${root}/.env.example`, 'utf8')
  return [...text.matchAll(/^(?:# )?([A-Z][A-Z0-9_]+)=/gm)].map(match => match[1] as string)
}

/**
 * A config module exports its schema, under whatever name. Its path is computed: services are no dependency of tests.
 */
async function propertiesOf (service: string): Promise<Record<string, Schema>> {
  const module = await import(`${root}/services/${service}/src/config.ts`) as Record<string, Partial<{
    properties: Record<string, Schema>
  }>>
  const found = Object.values(module).find(value => value?.properties !== undefined && 'LOG_LEVEL' in value.properties)
  if (!found?.properties) throw new Error(`${service}/src/config.ts exports no schema`)
  return found.properties
}

function rowOf (name: string, service: string, schema: Schema): Row {
  return {
    name,
    services: [service],
    type: typeOf(schema),
    fallback: fallbackOf(name, schema),
    what: schema.description ?? ''
  }
}

/** The same variable of several services, one row; one row each where they differ. */
function merge (rows: Row[]): Row[] {
  const merged = new Map<string, Row>()
  for (const row of rows) {
    const key = [row.name, row.type, row.fallback, row.what].join('\n')
    const known = merged.get(key)
    if (known) known.services.push(...row.services)
    else merged.set(key, row)
  }
  return [...merged.values()].toSorted((a, b) => a.name < b.name ? -1 : 1)
}

function section (title: string, rows: Row[]): string {
  const showsServices = SHARED.includes(title)
  const columns = ['variable', ...(showsServices ? ['of'] : []), 'type', 'default', 'meaning']
  const lines = rows.map(({ name, services, type, fallback, what }) =>
    `| ${[`\`${name}\``, ...(showsServices ? [services.join(', ')] : []), type, fallback, escape(what)].join(' | ')} |`)
  return [`## ${title}\n`, `| ${columns.join(' | ')} |`, `|${'---|'.repeat(columns.length)}`, ...lines, ''].join('\n')
}

function typeOf (schema: Schema): string {
  if (schema.enum) return schema.enum.map(value => `\`${value}\``).join(', ')
  if (schema.pattern?.includes('ms|s|m|h|d')) {
    return schema.pattern.includes(',') ? 'durations, separated by commas' : 'duration'
  }
  if (schema.type !== 'integer') return schema.type ?? 'string'
  const { minimum, maximum } = schema
  if (maximum !== undefined) return `integer, ${minimum ?? 0} to ${maximum}`
  return minimum === undefined ? 'integer' : `integer, at least ${minimum}`
}

function fallbackOf (name: string, { default: fallback }: Schema): string {
  if (fallback === undefined) return ''
  const shown = typeof fallback === 'string' ? `\`${fallback}\`` : String(fallback)
  const human = typeof fallback === 'number' ? humanOf(name, fallback) : undefined
  return human === undefined ? shown : `${shown} (${human})`
}

const UNITS: [number, string][] = [[86_400_000, 'days'], [3_600_000, 'h'], [60_000, 'min'], [1000, 's']]
const BYTES: [number, string][] = [[1024 ** 3, 'GiB'], [1024 ** 2, 'MiB'], [1024, 'KiB']]

function humanOf (name: string, value: number): string | undefined {
  const units = name.endsWith('_MS') ? UNITS : name.endsWith('_BYTES') ? BYTES : []
  const [size, unit] = units.find(([size, unit]) => value >= size * (unit === 'days' ? 2 : 1) && value % size === 0) ??
    []
  return size === undefined ? undefined : `${value / size} ${unit}`
}

function escape (text: string): string {
  return text.replaceAll('|', '\\|')
}

function other (name: string, service: string, type: string, what: string, fallback = ''): Row {
  return { name, services: [service], type, fallback, what }
}
