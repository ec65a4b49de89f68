import { parseArgs } from 'node:util'

const USAGE = `Ends all sessions of a user and refuses the tokens issued until now.

  revoke --user <id> [--url http://127.0.0.1:<REALTIME_INTERNAL_PORT>]
`

const { REALTIME_INTERNAL_PORT: port } = process.env
const { values } = parseArgs({ options: { user: { type: 'string' }, url: { type: 'string' } } })
const url = values.url ?? (port && `http://127.0.0.1:${port}`)

if (!values.user || !url) {
  process.stderr.write(USAGE)
  process.exitCode = 64
} else {
  await revoke(values.user, url)
}

async function revoke (userId: string, base: string): Promise<void> {
  try {
    const response = await fetch(new URL('/revocations', base), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ userId }),
      signal: AbortSignal.timeout(10_000)
    })
    const body = await response.text()
    if (response.ok) process.stdout.write(`${body}\n`)
    else fail(`The gateway answered ${response.status}: ${body}`)
  } catch (err) {
    const { message, cause } = err as Error
    fail(`No gateway answers at ${base}: ${cause instanceof Error ? cause.message : message}`)
  }
}

function fail (message: string) {
  process.stderr.write(`${message}\n`)
  process.exitCode = 1
}
