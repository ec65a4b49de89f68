/** A counter, gauge or histogram, or a record of them, that counts nothing. */
export function noMetrics<Metrics> (): Metrics {
  const metric: unknown = new Proxy(() => metric, { get: () => metric })
  return metric as Metrics
}

const ignore = () => {}

/** A log that nobody reads. */
export function noLog<Log> (): Log {
  return { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore, fatal: ignore } as Log
}
