import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { CORE_SCHEMA, load, mergeTag } from 'js-yaml'
import t from 'tap'
import { root } from '../src/index.ts'

interface Service {
  image?: string
  build?: { context: string, dockerfile: string, args: { SERVICE: string } }
  environment?: Record<string, string | number | null>
  command?: string[]
  depends_on?: Record<string, { condition: string }> | string[]
  deploy?: { replicas: number }
  ports?: string[]
  volumes?: string[]
  stop_grace_period?: string
}
interface Compose { 'x-required': string[], services: Record<string, Service>, volumes: Record<string, null> }

const read = (path: string) => readFileSync(join(root, path), 'utf8')
const compose = load(read('docker-compose.yml'), { schema: CORE_SCHEMA.withTags(mergeTag) }) as Compose
const example = parseEnv(read('.env.example').replaceAll(/^# ?(?=[A-Z][A-Z0-9_]+=)/gm, ''))
const serviceNames = readdirSync(join(root, 'services'))

const namesIn = (text: string) => [...text.matchAll(/^ {2}([A-Z][A-Z0-9_]{2,}): /gm)].map(match => match[1] as string)

/** The variables in the schema of a service, with those of the shared settings that it includes. */
function variablesOf (service: string): Set<string> {
  const own = read(`services/${service}/src/config.ts`)
  const shared = [
    'packages/service-kit/src/config.ts',
    'packages/contracts/src/jwt/settings.ts',
    'packages/service-kit/src/egress/rules.ts'
  ]
    .flatMap(path => [...read(path).matchAll(/^export const (\w+Settings) = \{\n(.*?)^\}/gms)])
    .filter(([, name]) => name === 'jwtSettings' || own.includes(`...${name}`))
  return new Set([own, ...shared.map(([text]) => text)].flatMap(namesIn))
}

t.test('every service of the workspace is built from the same Dockerfile', async t => {
  for (const name of serviceNames) {
    t.match(
      compose.services[name],
      { build: { context: '.', dockerfile: 'infra/docker/Dockerfile', args: { SERVICE: name } } },
      name
    )
  }
  t.same(Object.keys(compose.services).toSorted(), [...serviceNames, 'edge', 'postgres', 'redis'].toSorted())
})

t.test('a container gets only variables that its service knows and .env.example explains', async t => {
  for (const name of serviceNames) {
    const known = variablesOf(name)
    for (const variable of Object.keys(compose.services[name]?.environment ?? {})) {
      t.ok(known.has(variable), `${name} knows ${variable}`)
      t.ok(variable in example, `.env.example has ${variable}`)
    }
  }
})

// compose sets these itself, or they are other names of variables that it sets.
const WIRED: Record<string, string> = {
  REDIS_HOST: 'REDIS_URL names the container',
  REDIS_PORT: 'REDIS_URL names the container',
  REDIS_USERNAME: 'REDIS_URL names the container',
  REDIS_PASSWORD: 'REDIS_URL names the container',
  REDIS_TLS: 'REDIS_URL names the container',
  REDIS_CA_FILE: 'REDIS_URL names the container',
  JOBS_API_PORT: 'PORT',
  REALTIME_GATEWAY_PORT: 'PORT',
  WEBHOOK_DISPATCHER_PORT: 'PORT',
  REALTIME_INTERNAL_HOST: 'loopback: without a token, so from within the container alone'
}

t.test('a container gets every variable that its service knows', async t => {
  for (const name of serviceNames) {
    const given = Object.keys(compose.services[name]?.environment ?? {})
    const missing = [...variablesOf(name)].filter(variable => !given.includes(variable) && !(variable in WIRED))
    t.same(missing, [], `docker-compose.yml passes them to ${name}`)
  }
})

t.test('sessions can be revoked from inside a gateway container', async t => {
  const environment = compose.services['realtime-gateway']?.environment ?? {}
  t.match(environment.REALTIME_INTERNAL_PORT, /^\$\{REALTIME_INTERNAL_PORT:-\d+\}$/)
  t.notOk('REALTIME_INTERNAL_HOST' in environment)
})

t.test('jobs-api and webhook-dispatcher get the same rules for webhook URLs', async t => {
  const rulesOf = (name: string) => Object.fromEntries(Object.entries(compose.services[name]?.environment ?? {})
    .filter(([variable]) => /^WEBHOOK_(ALLOW_PRIVATE|REQUIRE_HTTPS|PORTS)$/.test(variable)))
  t.same(rulesOf('jobs-api'), rulesOf('webhook-dispatcher'))
  t.equal(Object.keys(rulesOf('jobs-api')).length, 3)
})

t.test('.env.example has every variable of every service, and no unused one', async t => {
  const known = new Set(serviceNames.flatMap(name => [...variablesOf(name)]))
  for (const variable of known) t.ok(variable in example, variable)
  // compose, the sample worker, the edge of `npm start`
  const elsewhere = ['POSTGRES_PASSWORD', 'CSV_FOLDER', 'EDGE_HOLD_MS', 'EDGE_HELD_MAX']
  const ofEdges = Object.keys(compose.services.edge?.environment ?? {}).filter(name => name.startsWith('DASHBOARD_'))
  for (const variable of ofEdges) t.ok(variable in example, variable)
  elsewhere.push(...ofEdges)
  for (const variable of Object.keys(example)) t.ok(known.has(variable) || elsewhere.includes(variable), variable)
})

t.test('no secret has a default', async t => {
  for (const variable of ['WEBHOOK_SECRET_KEY', 'POSTGRES_PASSWORD']) {
    const values = Object
      .values(compose.services)
      .map(({ environment }) => environment?.[variable])
      .filter(value => value !== undefined)
    t.ok(values.length > 0, variable)
    for (const value of values) t.match(value, new RegExp(`^\\$\\{${variable}:\\?.+\\}$`))
    t.equal(example[variable], '')
  }
  for (const variable of ['TOKEN_SECRET', 'REFRESH_TOKEN_SECRET']) {
    for (const { environment } of Object.values(compose.services)) t.notOk(environment?.[variable], variable)
    t.ok(
      compose['x-required'].some(text => text.startsWith(`\${${variable}:-\${JWKS_URL:?`)),
      `${variable} or JWKS_URL`
    )
    t.equal(example[variable], '')
  }
})

t.test('the image runs the start script of the service, with the pinned tools', async t => {
  const dockerfile = read('infra/docker/Dockerfile')
  const [, command] = /^CMD (\[.*\])$/m.exec(dockerfile) ?? []
  for (const name of serviceNames) {
    const { scripts } = JSON.parse(read(`services/${name}/package.json`)) as { scripts: { start: string } }
    t.same(JSON.parse(command ?? '[]'), scripts.start.split(' '), name)
  }
  const [, pnpm] = /'(pnpm@[\d.]+)'/.exec(read('infra/local/setup/dependencies.mjs')) ?? []
  t.match(dockerfile, `npm install --global ${pnpm}\n`)
  const [, node] = /^ {2}node: (\d+)/m.exec(read('pnpm-workspace.yaml')) ?? []
  t.match(dockerfile, `NODE_IMAGE=node:${node}-`)
  t.match(dockerfile, /^USER node$/m)
  t.match(dockerfile, '/livez')
})

t.test('the edge forwards to the port of each service', async t => {
  const caddyfile = read('infra/edge/Caddyfile')
  const port = (name: string) => compose.services[name]?.environment?.PORT
  t.match(caddyfile, `reverse_proxy {$JOBS_API_ADDRESS:jobs-api:${port('jobs-api')}}`)
  t.match(
    caddyfile,
    `dynamic a {$REALTIME_GATEWAY_NAME:realtime-gateway} {$REALTIME_GATEWAY_PORT:${port('realtime-gateway')}}`
  )
  t.match(caddyfile, `reverse_proxy {$WEBHOOK_DISPATCHER_ADDRESS:webhook-dispatcher:${port('webhook-dispatcher')}}`)
  t.match(caddyfile, 'lb_policy cookie')
  for (const name of serviceNames) t.match(caddyfile, `handle /openapi/${name}.json {`)
  t.equal(compose.services['realtime-gateway']?.environment?.JOBS_API_URL, `http://jobs-api:${port('jobs-api')}`)
  const dispatcher = compose.services['jobs-api']?.environment?.WEBHOOK_DISPATCHER_URL
  t.equal(dispatcher, `http://webhook-dispatcher:${port('webhook-dispatcher')}`)
  t.match(compose.services.edge?.ports?.join(), /^\$\{PORT:-4000\}:4000$/, 'one port, which compose fills in')
  t.equal(compose.services['realtime-gateway']?.deploy?.replicas, 2)
})

t.test('the data servers store their data on volumes', async t => {
  const { redis, postgres } = compose.services
  t.same(
    redis?.command?.join(' '),
    'redis-server --appendonly yes --appendfsync everysec --maxmemory-policy noeviction'
  )
  t.ok(Number(/redis:(\d+)/.exec(redis?.image ?? '')?.[1]) >= 7)
  t.ok(Number(/postgres:(\d+)/.exec(postgres?.image ?? '')?.[1]) >= 15)
  for (const service of [redis, postgres]) {
    const [volume = ''] = service?.volumes?.[0]?.split(':') ?? []
    t.ok(volume in compose.volumes, volume)
  }
  for (const name of serviceNames) {
    t.match(compose.services[name], {
      depends_on: { redis: { condition: 'service_healthy' }, postgres: { condition: 'service_healthy' } },
      stop_grace_period: '30s'
    })
  }
})

const composeCommand = ['docker-compose', 'docker'].map(command => command === 'docker'
  ? [command, 'compose']
  : [
      command
    ])
  .find(([command = '', ...args]) => spawnSync(command, [...args, 'version']).status === 0)
t.test('docker compose accepts the file', {
  skip: composeCommand
    ? false
    : 'docker compose is not installed'
}, async t => {
  const [command = '', ...args] = composeCommand ?? []
  const read = (secrets: Record<string, string>) => spawnSync(command, [
    ...args,
    '--env-file',
    '/dev/null',
    'config',
    '--quiet'
  ], {
    cwd: root, encoding: 'utf8', env: { PATH: process.env.PATH, HOME: process.env.HOME, ...secrets }
  })
  const always = { WEBHOOK_SECRET_KEY: 'c', POSTGRES_PASSWORD: 'd' }
  t.equal(read({ ...always, TOKEN_SECRET: 'a', REFRESH_TOKEN_SECRET: 'b' }).status, 0)
  t.equal(read({ ...always, JWKS_URL: 'https://idp.example/jwks' }).status, 0, 'an identity provider needs no secret')
  t.match(read(always), { status: 1, stderr: /set TOKEN_SECRET/ })
})
