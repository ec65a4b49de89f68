/**
 * Whether Postgres refused what it was given (22: data exception, 54: program
 * limit exceeded), which it would do again and again.
 */
export function isRefusal (err: unknown): boolean {
  const { code } = err as { code?: unknown }
  return typeof code === 'string' && /^(22|54)/.test(code)
}
