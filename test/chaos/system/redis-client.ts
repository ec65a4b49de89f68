import { Cluster, Redis, type RedisOptions } from 'ioredis'

const URL_FORM = /^redis(?:\+(sentinel|cluster))?:\/\/([^/]+)(?:\/([^/]+))?/
/** Commands wait until Redis is back, as those of producers and workers do. */
const OPTIONS: RedisOptions = { maxRetriesPerRequest: null }

/** A client of a Redis of any kind, by its URL as the services take it. A Cluster is used as a Redis. */
export function redisClient (url: string): Redis {
  const [, kind, authority = '', name = ''] = URL_FORM.exec(url) ?? []
  const nodes = authority.split(',').map(node => {
    const [host = '', port] = node.split(':')
    return { host, port: Number(port) }
  })
  const client = kind === 'cluster'
    ? new Cluster(nodes, { redisOptions: OPTIONS }) as unknown as Redis
    : new Redis({ ...OPTIONS, ...(kind === 'sentinel' ? { sentinels: nodes, name } : nodes[0]) })
  client.on('error', () => {}) // Redis is away, as chaos intends
  return client
}
