import { createHash, randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import { redeemedTicketKey, ticketKey } from '@tidings/contracts'
import { decrypt, encrypt, loadLua, orUnavailable } from '@tidings/service-kit'

export const TICKET_SECONDS = 60
/** How long a redeemed ticket is kept until the expiry of its token is known. */
const REDEEMED_MS = 24 * 60 * 60_000
/** How long the ticket of a token that never expires is kept. */
const MAX_REDEEMED_MS = 30 * 24 * 60 * 60_000
const TICKET_BYTES = 32

export type Tickets = ReturnType<typeof createTickets>

type StreamRequest = {
  /** What a redeemed ticket stays valid for: this stream, for a page of this origin. */
  scope: string
  /** Whether the stream reconnects: its client names the last event that it received. */
  isReturning: boolean
}

/** A token, and the user whom an operator named; undefined for the token's own. */
export type TicketContent = { token: string, userId?: string | undefined }

export type RedeemedTicket = TicketContent & {
  /** Keeps it for reconnects of the stream until its token expires (milliseconds since 1970; null: never). */
  keepUntil: (acceptedUntil: number | null) => void
  /** Makes it unused again, for a stream that never started. */
  restore: () => void
}

type Commands = Redis & {
  tidingsRedeemTicketBuffer: (
    issued: string, redeemed: string, scope: Buffer, isReturning: string, keepMs: number
  ) => Promise<[Buffer, number] | null>
}

/**
 * Tickets stand for the token, which must not appear in a URL. Redis keeps the token encrypted with the ticket itself,
 * under the ticket's hash, so that a reader of Redis has neither. A ticket opens one stream, and the same stream again
 * whenever its client reconnects with the id of the last event that it received: a browser's EventSource cannot change
 * its URL.
 */
export function createTickets (redis: Redis) {
  const lua = loadLua('redeem-ticket', import.meta.url)

  async function issue ({ token, userId }: TicketContent): Promise<string> {
    const content = userId === undefined ? token : `${token}\n${userId}`
    const ticket = randomBytes(TICKET_BYTES)
    await orUnavailable(redis.set(ticketKey(hashOf(ticket)), encrypt(ticket, content), 'EX', TICKET_SECONDS))
    return ticket.toString('base64url')
  }

  /** Undefined for a ticket that is expired or unknown, or used and this is not a reconnect of its stream. */
  async function redeem (text: string, { scope, isReturning }: StreamRequest): Promise<RedeemedTicket | undefined> {
    const ticket = Buffer.from(text, 'base64url')
    if (ticket.length !== TICKET_BYTES) return undefined
    const [issued, redeemed] = [ticketKey(hashOf(ticket)), redeemedTicketKey(hashOf(ticket))]
    const scopeHash = createHash('sha256').update(scope).digest()
    const returning = isReturning ? '1' : '0'
    // Defined at the first use: the OpenAPI document is written without a Redis.
    if (!('tidingsRedeemTicket' in redis)) redis.defineCommand('tidingsRedeemTicket', { numberOfKeys: 2, lua })
    const found = await orUnavailable(
      (redis as Commands).tidingsRedeemTicketBuffer(issued, redeemed, scopeHash, returning, REDEEMED_MS)
    )
    const content = found ? contentOf(found[0], ticket) : undefined
    if (!found || content === undefined) return undefined
    const [sealed, isFirst] = found
    return {
      ...content,
      keepUntil: acceptedUntil => {
        const keepMs = acceptedUntil === null ? MAX_REDEEMED_MS : Math.max(1, acceptedUntil - Date.now())
        redis.pexpire(redeemed, Math.ceil(keepMs)).catch(() => {}) // then it is kept for a day
      },
      restore: () => {
        if (!isFirst) return
        redis.multi().set(issued, sealed, 'EX', TICKET_SECONDS).del(redeemed).exec()
          .catch(() => {}) // then the page requests another ticket
      }
    }
  }

  return { issue, redeem }
}

const hashOf = (ticket: Buffer) => createHash('sha256').update(ticket).digest('base64url')

/** Undefined for a value that was not encrypted with this ticket. */
function contentOf (sealed: Buffer, ticket: Buffer): TicketContent | undefined {
  try {
    const [token = '', userId] = decrypt(ticket, sealed).split('\n')
    return { token, userId }
  } catch {
    return undefined
  }
}
