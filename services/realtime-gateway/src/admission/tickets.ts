import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'
import { redeemedTicketKey, ticketKey } from '@tidings/contracts'
import { orUnavailable } from './or-unavailable.ts'

export const TICKET_SECONDS = 60
/** Until it is known when the token ends. */
const REDEEMED_MS = 24 * 60 * 60_000
/** Of a token that never ends. */
const MAX_REDEEMED_MS = 30 * 24 * 60 * 60_000
const TICKET_BYTES = 32
const CIPHER = 'aes-256-gcm'
const IV_BYTES = 12
const TAG_BYTES = 16

export type Tickets = ReturnType<typeof createTickets>

type StreamRequest = {
  /** What a redeemed ticket is good for again: this stream, for a page of this origin. */
  scope: string
  /** Whether the stream comes back: its client names the last event that it had. */
  isReturning: boolean
}

export type RedeemedTicket = {
  token: string
  /** Keeps it for the stream's returns as long as its token is good (milliseconds since 1970; null: for ever). */
  keepUntil: (acceptedUntil: number | null) => void
  /** Its stream never began: it is good for another first time. */
  restore: () => void
}

type Commands = Redis & {
  tidingsRedeemTicketBuffer: (issued: string, redeemed: string, place: Buffer, isReturning: string, keepMs: number) => Promise<[Buffer, number] | null>
}

/**
 * Tickets stand for what may not stand in a URL: the token. Redis keeps the
 * token enciphered with the ticket itself, under the ticket's hash, so that who
 * reads there has neither. A ticket opens one stream, and that one again
 * whenever its client comes back with the last event that it had: a browser's
 * EventSource can change nothing of its URL.
 */
export function createTickets (redis: Redis) {
  const script = readFileSync(new URL('./redeem-ticket.lua', import.meta.url), 'utf8')

  async function issue (token: string): Promise<string> {
    const ticket = randomBytes(TICKET_BYTES)
    await orUnavailable(redis.set(ticketKey(hashOf(ticket)), encrypt(ticket, token), 'EX', TICKET_SECONDS))
    return ticket.toString('base64url')
  }

  /** Undefined where it has expired, never was, or was redeemed and this is no return of its stream. */
  async function redeem (text: string, { scope, isReturning }: StreamRequest): Promise<RedeemedTicket | undefined> {
    const ticket = Buffer.from(text, 'base64url')
    if (ticket.length !== TICKET_BYTES) return undefined
    const [issued, redeemed] = [ticketKey(hashOf(ticket)), redeemedTicketKey(hashOf(ticket))]
    const placeHash = createHash('sha256').update(scope).digest()
    if (!('tidingsRedeemTicket' in redis)) redis.defineCommand('tidingsRedeemTicket', { numberOfKeys: 2, lua: script })
    const found = await orUnavailable((redis as Commands).tidingsRedeemTicketBuffer(issued, redeemed, placeHash, isReturning ? '1' : '0', REDEEMED_MS))
    const token = found ? decrypt(ticket, found[0]) : undefined
    if (!found || token === undefined) return undefined
    return {
      token,
      keepUntil: acceptedUntil => {
        const keepMs = acceptedUntil === null ? MAX_REDEEMED_MS : Math.max(1, acceptedUntil - Date.now())
        redis.pexpire(redeemed, Math.ceil(keepMs)).catch(() => {}) // then it is kept for a day
      },
      restore: () => {
        if (found[1] === 0) return
        redis.multi().set(issued, found[0], 'EX', TICKET_SECONDS).del(redeemed).exec().catch(() => {}) // then its page asks for another
      }
    }
  }

  return { issue, redeem }
}

const hashOf = (ticket: Buffer) => createHash('sha256').update(ticket).digest('base64url')

function encrypt (ticket: Buffer, token: string): Buffer {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv(CIPHER, ticket, iv)
  const body = [cipher.update(token, 'utf8'), cipher.final()]
  return Buffer.concat([iv, cipher.getAuthTag(), ...body])
}

/** Undefined for what no ticket enciphered. */
function decrypt (ticket: Buffer, kept: Buffer): string | undefined {
  if (kept.length < IV_BYTES + TAG_BYTES) return undefined
  const cipher = createDecipheriv(CIPHER, ticket, kept.subarray(0, IV_BYTES))
  cipher.setAuthTag(kept.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
  try {
    return Buffer.concat([cipher.update(kept.subarray(IV_BYTES + TAG_BYTES)), cipher.final()]).toString()
  } catch {
    return undefined // the tag does not fit
  }
}
