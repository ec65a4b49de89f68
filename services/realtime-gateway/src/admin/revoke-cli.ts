import { readCommandLine, reportEnd, UsageError } from '@tidings/service-kit/command-line'

const { REALTIME_INTERNAL_PORT: port } = process.env
const { values: { user, url = port && `http://127.0.0.1:${port}` } } = readCommandLine({
  usage: `
Ends all sessions of a user and refuses the tokens issued until now.

  npm run revoke -- --user ID [--url URL]

  --user ID  whose sessions
  --url URL  the admin server of a gateway: by default http://127.0.0.1:<REALTIME_INTERNAL_PORT>
`,
  options: { user: { type: 'string' }, url: { type: 'string' } }
})

try {
  if (!user) throw new UsageError('Whose sessions? Name the user by --user')
  if (!url) throw new UsageError('Which gateway? Name its admin server by --url, or set REALTIME_INTERNAL_PORT')
  if (!URL.canParse(url)) throw new UsageError(`--url takes a URL such as http://127.0.0.1:4900, not ${url}`)
  await revoke(user, url)
} catch (err) {
  reportEnd(err)
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
