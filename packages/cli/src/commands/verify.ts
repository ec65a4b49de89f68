import { verifyWebhook } from 'tidings/webhooks'
import { localCommand } from '../command.ts'
import { EXIT, Exit, UsageError } from '../failure.ts'
import { readInputBytes } from '../input.ts'
import { parseInteger } from '../text.ts'

export const verify = localCommand({
  name: 'verify',
  description: 'Check the signature of a webhook: a raw HTTP request, or its body, on standard input',
  args: {
    secret: { type: 'string', valueHint: 'SECRET', description: 'whsec_… (WEBHOOK_SECRET)' },
    id: { type: 'string', valueHint: 'ID', description: 'webhook-id, where the input is the body alone' },
    timestamp: { type: 'string', valueHint: 'SECONDS', description: 'webhook-timestamp' },
    signature: { type: 'string', valueHint: 'V1', description: 'webhook-signature' },
    tolerance: { type: 'string', valueHint: 'SECONDS', default: '300', description: 'The age that is accepted' }
  },
  run: async ({ args, out }) => {
    const secret = args.secret ?? process.env.WEBHOOK_SECRET
    if (!secret) throw new UsageError('Which secret? Pass --secret, or set WEBHOOK_SECRET')
    const input = await readInputBytes('-')
    const { id, timestamp, signature } = args
    const isBody = id !== undefined || timestamp !== undefined || signature !== undefined
    const { headers, body } = isBody
      ? { headers: new Headers(Object.entries({ id, timestamp, signature }).map(([name, value]) => [`webhook-${name}`, value ?? ''])), body: input }
      : readRequest(input)
    const tolerance = parseInteger('--tolerance', args.tolerance, { max: 10 * 365 * 86_400 })
    try {
      const { eventId, signedAt, attempt, payload } = await verifyWebhook(body, headers, secret, { tolerance })
      out.value({ valid: true, eventId, signedAt, attempt, payload }, () =>
        `valid: event ${eventId}, attempt ${attempt}, signed ${signedAt.toISOString()}`)
    } catch (err) {
      const { code = 'error', message } = err as Error & { code?: string }
      out.value({ valid: false, code, message }, () => `not valid: ${message}`)
      throw new Exit(EXIT.failed)
    }
  }
})

/** The headers and the body of an HTTP request as it was received. */
function readRequest (input: Buffer): { headers: Headers, body: Buffer } {
  const [crlf, lf] = [input.indexOf('\r\n\r\n'), input.indexOf('\n\n')]
  const isCrlf = crlf >= 0 && (lf < 0 || crlf < lf)
  const end = isCrlf ? crlf : lf
  if (end < 0) {
    throw new UsageError('Standard input is no HTTP request: of a body alone pass --id, --timestamp and --signature')
  }
  const headers = new Headers()
  for (const line of input.subarray(0, end).toString('latin1').split(/\r?\n/)) {
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):\s*(.*?)\s*$/.exec(line) ?? [] // the request line has no colon there
    if (name !== undefined && value !== undefined) headers.append(name, value)
  }
  return { headers, body: input.subarray(end + (isCrlf ? 4 : 2)) }
}
