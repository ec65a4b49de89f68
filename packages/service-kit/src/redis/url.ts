type RedisSettings = {
  REDIS_URL?: string
  REDIS_HOST: string
  REDIS_PORT: number
  REDIS_USERNAME?: string
  REDIS_PASSWORD?: string
  REDIS_TLS?: boolean
  REDIS_CA_FILE?: string
}

/** All Redis settings as one URL. */
export function redisUrl ({
  REDIS_URL, REDIS_HOST, REDIS_PORT, REDIS_USERNAME = '', REDIS_PASSWORD = '', REDIS_TLS, REDIS_CA_FILE
}: RedisSettings): string {
  const host = REDIS_HOST.includes(':') && !REDIS_HOST.startsWith('[') ? `[${REDIS_HOST}]` : REDIS_HOST
  let url = REDIS_URL ?? `redis://${host}:${REDIS_PORT}`
  if (REDIS_TLS) url = url.replace(/^redis(?!s)/, 'rediss')
  const hasLogin = /^[^/]*\/\/.*@/.test(url)
  if (!hasLogin && (REDIS_USERNAME || REDIS_PASSWORD)) {
    url = url.replace('://', `://${encodeURIComponent(REDIS_USERNAME)}:${encodeURIComponent(REDIS_PASSWORD)}@`)
  }
  if (REDIS_CA_FILE) url = withParameter(url, 'cafile', REDIS_CA_FILE)
  return url
}

function withParameter (url: string, name: string, value: string): string {
  const [place = '', fragment] = url.split('#')
  const parameter = `${place.includes('?') ? '&' : '?'}${name}=${encodeURIComponent(value)}`
  return `${place}${parameter}${fragment === undefined ? '' : `#${fragment}`}`
}
