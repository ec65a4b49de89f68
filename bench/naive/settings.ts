export interface Settings {
  port: number
  redisUrl: string
  databaseUrl: string
  queueName: string
  tokenSecret: string
}

export function readSettings (env: NodeJS.ProcessEnv): Settings {
  const required = (name: string) => {
    const value = env[name]
    if (value === undefined) throw new Error(`${name} is not set`)
    return value
  }
  return {
    port: Number(required('PORT')),
    redisUrl: required('REDIS_URL'),
    databaseUrl: required('DATABASE_URL'),
    queueName: required('QUEUE'),
    tokenSecret: required('TOKEN_SECRET')
  }
}
