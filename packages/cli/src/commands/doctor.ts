import { serverCommand } from '../command.ts'
import { skipped, type CheckContext, type Finding } from '../doctor/finding.ts'
import { checkServer, checkSocketIo, checkToken } from '../doctor/server.ts'
import { checkSse, checkWebSocket } from '../doctor/streams.ts'
import { EXIT, Exit } from '../failure.ts'
import type { Output } from '../output.ts'
import { printable } from '../text.ts'

const FORMATS = { ok: 'green', warning: 'yellow', failed: 'red', skipped: 'dim' } as const

export const doctor = serverCommand({
  name: 'doctor',
  description: 'Find out why nothing comes: the server, the token, the clocks, and proxies that buffer or block',
  run: async ({ client, settings, out, signal }) => {
    if (settings.token) await client.me({ signal }).catch(() => {}) // renews one that has ended; the checks say more
    const { url, user, token } = settings
    const context: CheckContext = { url, user, token, signal }

    const server = await checkServer(context)
    const isReached = server.finding.state === 'ok'
    const check = async (run: (context: CheckContext) => Promise<Finding>) =>
      isReached ? await run(context) : skipped('the server was not reached')
    const findings: [string, Finding][] = [
      ['server', server.finding],
      ['clock', server.clock],
      ['token', await check(checkToken)],
      ['sse', await check(checkSse)],
      ['websocket', await check(checkWebSocket)],
      ['socket.io', await check(checkSocketIo)]
    ]
    for (const [name, finding] of findings) show(name, finding, out)
    if (!isReached) throw new Exit(EXIT.unreachable)
    if (findings.some(([name, { state }]) => name === 'token' && state === 'failed')) throw new Exit(EXIT.unauthorized)
    if (findings.some(([, { state }]) => state === 'failed')) throw new Exit(EXIT.failed)
  }
})

function show (name: string, finding: Finding, out: Output): void {
  const { state, detail, advice } = finding
  out.value({ check: name, ...finding }, () =>
    `${out.style(FORMATS[state], state.padEnd(7))}  ${name.padEnd(9)}  ${printable(detail)}` +
    (advice ? `\n${' '.repeat(20)}${advice}` : ''))
}
