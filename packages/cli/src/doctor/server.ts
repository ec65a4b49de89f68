import {
  addressOf, causeOf, failed, ok, PATIENCE_MS, skipped, warning, type CheckContext, type Finding
} from './finding.ts'
import { duration } from '../text.ts'

/** Tokens, tickets and webhooks are refused by clocks that differ by more than minutes. */
const SKEW_WARNING_MS = 5000
const SKEW_FAILED_MS = 60_000
const NEAR_END_MS = 5 * 60_000

export interface Reached { finding: Finding, clock: Finding }

/** Asks without a token: an API of ours answers 401 as problem+json. */
export async function checkServer (context: CheckContext): Promise<Reached> {
  const asked = Date.now()
  let response: Response
  try {
    response = await fetch(`${context.url}/me`, {
      redirect: 'manual', signal: AbortSignal.any([context.signal, AbortSignal.timeout(PATIENCE_MS)])
    })
    await response.body?.cancel()
  } catch (err) {
    context.signal.throwIfAborted()
    const finding = failed(`${context.url}: ${causeOf(err)}`, 'Check the address, the network and whether the server runs')
    return { finding, clock: skipped('the server was not reached') }
  }
  const ms = Date.now() - asked
  const isOurs = response.status === 401 && /problem\+json/.test(response.headers.get('content-type') ?? '')
  const via = ['via', 'server'].map(name => response.headers.get(name)).filter(Boolean).join(', ')
  const finding = isOurs
    ? ok(`answers in ${ms} ms${via && `, through ${via}`}`)
    : response.status >= 502
      ? failed(`jobs-api is away: ${response.status}`, 'The edge is there, the service behind it is not')
      : failed(`something else answers: ${response.status} ${response.headers.get('content-type') ?? ''}`.trim(),
        'The address must be that of the edge, with the path under which it is mounted')
  return { finding, clock: clockOf(response.headers.get('date'), asked + ms / 2) }
}

function clockOf (date: string | null, now: number): Finding {
  const server = Date.parse(date ?? '')
  if (Number.isNaN(server)) return skipped('the response has no date')
  const skew = Math.round(now - server - 500) // a date is cut to seconds: half of one on average
  const size = Math.abs(skew)
  if (size < SKEW_WARNING_MS) return ok('this clock agrees with the server')
  const detail = `this clock is ${duration(size)} ${skew > 0 ? 'ahead of' : 'behind'} the server`
  const advice = 'Set the clock (NTP): tokens and signatures of webhooks are refused otherwise'
  return size < SKEW_FAILED_MS ? warning(detail, advice) : failed(detail, advice)
}

export async function checkToken (context: CheckContext): Promise<Finding> {
  if (!context.token) return skipped('there is no token: pass --token, set TIDINGS_TOKEN, or run tidings login')
  try {
    const response = await fetch(`${context.url}/me`, {
      headers: { authorization: `Bearer ${context.token}` },
      signal: AbortSignal.any([context.signal, AbortSignal.timeout(PATIENCE_MS)])
    })
    const body = await response.json() as {
      detail?: string, userId?: unknown, scopes?: string[], expiresAt?: number | null
    }
    if (!response.ok) return failed(`${response.status}: ${body.detail ?? ''}`, 'Get another token, and run tidings login')
    const { userId, scopes = [], expiresAt = null } = body
    const left = expiresAt === null ? Infinity : expiresAt - Date.now()
    const detail = `user ${String(userId)}, ${scopes.join(' ') || 'no scopes'}`
    return left < NEAR_END_MS
      ? warning(`${detail}; it ends in ${duration(left)}`, 'Use a refresh token, or a new token soon')
      : ok(detail)
  } catch (err) {
    context.signal.throwIfAborted()
    return failed(causeOf(err), 'The server answered a moment ago: try again')
  }
}

/** A page with Socket.IO begins by polling, unless its options name other transports. */
export async function checkSocketIo (context: CheckContext): Promise<Finding> {
  try {
    const response = await fetch(addressOf(context, '/socket.io/', { EIO: '4', transport: 'polling' }), {
      signal: AbortSignal.any([context.signal, AbortSignal.timeout(PATIENCE_MS)])
    })
    const text = await response.text()
    if (response.ok && text.startsWith('0{')) return ok('the handshake passes')
    return failed(`${response.status}: not the handshake of Socket.IO`,
      'The proxy must pass /socket.io/ to the gateway, with its query')
  } catch (err) {
    context.signal.throwIfAborted()
    return failed(causeOf(err), 'The proxy must pass /socket.io/ to the gateway')
  }
}
