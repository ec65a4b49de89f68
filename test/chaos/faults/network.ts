import type { TcpProxy } from '../system/tcp-proxy.ts'
import type { Fault, FaultContext } from './fault.ts'

type Links = (context: FaultContext) => TcpProxy[]

const all: Links = ({ system }) => system.replicas.flatMap(({ redis, postgres }) => [redis, postgres])
const toRedis: Links = ({ system }) => system.replicas.map(({ redis }) => redis)
const toPostgres: Links = ({ system }) => system.replicas.map(({ postgres }) => postgres)
const relayToRedis: Links = ({ relay }) => [relay.redis]
const readerToPostgres: Links = ({ reader }) => [reader.postgres]
const gatewayToRedis: Links = ({ system, random }) => [random.oneOf(system.of('realtime-gateway')).redis]
const clients: Links = ({ system }) => [system.front]
const services: Links = ({ system }) => Object.values(system.behind)

interface NetworkFault {
  name: string
  what: string
  needs?: 'single'
  links: Links
  cause: (link: TcpProxy) => void
  holdMs?: [number, number]
  since?: 'start' | 'end'
  withinMs: number
}

function network (
  { name, what, needs, links, cause, holdMs = [2000, 5000], since = 'end', withinMs }: NetworkFault
): Fault {
  return {
    name: `network-${name}`,
    what,
    ...(needs && { needs }),
    holdMs,
    recovery: { since, withinMs },
    inject: context => {
      const broken = links(context)
      broken.forEach(cause)
      return () => { for (const link of broken) link.heal() }
    }
  }
}

export const networkFaults: Fault[] = [
  network({
    name: 'latency',
    what: '60 ms each way between services and stores',
    links: all,
    cause: link => link.delay(60),
    since: 'start',
    withinMs: 10_000
  }),
  network({
    name: 'cut-redis',
    what: 'no connection to Redis',
    needs: 'single',
    links: toRedis,
    cause: link => link.cut(),
    withinMs: 10_000
  }),
  network({
    name: 'cut-postgres',
    what: 'no connection to Postgres',
    links: toPostgres,
    cause: link => link.cut(),
    withinMs: 10_000
  }),
  network({
    name: 'cut-clients', what: 'no connection to the edge', links: clients, cause: link => link.cut(), withinMs: 5000
  }),
  network({
    name: 'cut-services',
    what: 'no connection from the edge to the services',
    links: services,
    cause: link => link.cut(),
    withinMs: 10_000
  }),
  network({
    name: 'partition-relay',
    what: 'the jobs-api that relays, partitioned from Redis for longer than its lease',
    needs: 'single',
    links: relayToRedis,
    cause: link => link.partition(),
    holdMs: [4000, 7000],
    since: 'start',
    withinMs: 10_000
  }),
  network({
    name: 'partition-dispatcher',
    what: 'the webhook-dispatcher that reads, partitioned from Postgres for longer than its lease',
    links: readerToPostgres,
    cause: link => link.partition(),
    holdMs: [4000, 7000],
    since: 'start',
    withinMs: 15_000
  }),
  network({
    name: 'partition-gateway',
    what: 'a realtime-gateway, partitioned from Redis',
    needs: 'single',
    links: gatewayToRedis,
    cause: link => link.partition(),
    withinMs: 10_000
  }),
  network({
    name: 'half-open-redis',
    what: 'connections to Redis that Redis has forgotten',
    needs: 'single',
    links: toRedis,
    cause: link => link.halfOpen(),
    holdMs: [5000, 8000],
    withinMs: 10_000
  }),
  network({
    name: 'half-open-postgres',
    what: 'connections to Postgres that Postgres has forgotten',
    links: toPostgres,
    cause: link => link.halfOpen(),
    holdMs: [5000, 8000],
    withinMs: 15_000
  }),
  network({
    name: 'half-open-clients',
    what: 'connections of clients that the edge has forgotten',
    links: clients,
    cause: link => link.halfOpen(),
    holdMs: [2000, 5000],
    withinMs: 10_000
  }),
  network({
    name: 'vanish-redis',
    what: 'connections to Redis that nothing answers on and nothing resets, as of a host that lost its power',
    needs: 'single',
    links: toRedis,
    cause: link => link.vanish(),
    withinMs: 20_000
  }),
  network({
    name: 'vanish-postgres',
    what: 'the same with connections to Postgres',
    links: toPostgres,
    cause: link => link.vanish(),
    withinMs: 30_000
  }),
  network({
    name: 'vanish-clients',
    what: 'the same with connections of clients to the edge',
    links: clients,
    cause: link => link.vanish(),
    withinMs: 60_000
  }),
  network({
    name: 'bandwidth',
    what: '32 KiB per second in each direction of each connection between services and stores',
    links: all,
    cause: link => link.limit(32 * 1024),
    holdMs: [4000, 8000],
    withinMs: 15_000
  })
]
