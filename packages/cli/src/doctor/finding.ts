/** What a check found. `advice` says what mends it. */
export interface Finding {
  state: 'ok' | 'warning' | 'failed' | 'skipped'
  detail: string
  advice?: string
}

export interface CheckContext {
  url: string
  token: string | undefined
  user: string | undefined
  signal: AbortSignal
}

/** For an answer, and for the first frame of a stream. */
export const PATIENCE_MS = 10_000

export const ok = (detail: string): Finding => ({ state: 'ok', detail })
export const warning = (detail: string, advice: string): Finding => ({ state: 'warning', detail, advice })
export const failed = (detail: string, advice: string): Finding => ({ state: 'failed', detail, advice })
export const skipped = (detail: string): Finding => ({ state: 'skipped', detail })

export function addressOf ({ url, user }: CheckContext, path: string, query: Record<string, string> = {}): string {
  const search = new URLSearchParams({ ...query, ...(user !== undefined && { userId: user }) }).toString()
  return `${url}${path}${search && `?${search}`}`
}

/** Why there was no answer, in the words of the system. */
export function causeOf (err: unknown): string {
  if (err instanceof Error && err.name === 'TimeoutError') return `no answer within ${PATIENCE_MS / 1000} s`
  const { code, message } = ((err as Error).cause ?? err) as NodeJS.ErrnoException
  return message || code || String(err)
}
