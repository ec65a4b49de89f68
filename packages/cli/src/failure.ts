import { TidingsError } from 'tidings'

/** What a script learns from the exit code; listed in the README and in `tidings help`. */
export const EXIT = {
  ok: 0,
  /** A job has failed, a check has failed, or anything that has no code of its own. */
  failed: 1,
  /** The command line, or the input that it names, is wrong. */
  usage: 2,
  /** The token is missing, refused, or lacks a scope. */
  unauthorized: 3,
  notFound: 4,
  /** Nothing answers, or what answers is unavailable. */
  unreachable: 5,
  /** Ctrl-C, or SIGTERM. */
  interrupted: 130
} as const

/** The command line is wrong; the message says what and where. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** Ends the program with this code, once what it had to say is written. */
export class Exit extends Error {
  readonly code: number

  constructor (code: number) {
    super(`Exit ${code}`)
    this.code = code
  }
}

export function exitCodeOf (err: unknown): number {
  if (err instanceof Exit) return err.code
  if (err instanceof UsageError || (err instanceof Error && err.name === 'CLIError')) return EXIT.usage
  if (!(err instanceof TidingsError)) return EXIT.failed
  switch (err.code) {
    case 'unauthorized':
    case 'forbidden':
    case 'token_failed': return EXIT.unauthorized
    case 'not_found':
    case 'gone': return EXIT.notFound
    case 'network':
    case 'timeout':
    case 'unavailable':
    case 'rate_limited': return EXIT.unreachable
    case 'invalid_request':
    case 'invalid_value': return EXIT.usage
    case 'conflict':
    case 'server_error':
    case 'unexpected_response':
    case 'job_failed':
    case 'closed': return EXIT.failed
    default: return err.code satisfies never
  }
}
