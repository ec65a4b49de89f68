import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import { ticketKey } from '@tidings/contracts'
import { needsRedis } from './needs-redis.ts'

export const TICKET_SECONDS = 60
const CIPHER = 'aes-256-gcm'
const IV_BYTES = 12
const TAG_BYTES = 16

export type Tickets = ReturnType<typeof createTickets>

/**
 * One-time tickets for what may not stand in a URL: the token. Redis keeps the
 * token enciphered with the ticket itself, under the ticket's hash, so that who
 * reads there has neither.
 */
export function createTickets (redis: Redis) {
  async function issue (token: string): Promise<string> {
    const ticket = randomBytes(32)
    await needsRedis(redis.set(keyOf(ticket), encipher(ticket, token), 'EX', TICKET_SECONDS))
    return ticket.toString('base64url')
  }

  /** The token of a ticket, once; undefined where it was redeemed, has expired, or never was. */
  async function redeem (text: string): Promise<string | undefined> {
    const ticket = Buffer.from(text, 'base64url')
    if (ticket.length !== 32) return undefined
    const kept = await needsRedis(redis.getdelBuffer(keyOf(ticket)))
    return kept ? decipher(ticket, kept) : undefined
  }

  return { issue, redeem }
}

const keyOf = (ticket: Buffer) => ticketKey(createHash('sha256').update(ticket).digest('base64url'))

function encipher (ticket: Buffer, token: string): Buffer {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv(CIPHER, ticket, iv)
  const body = [cipher.update(token, 'utf8'), cipher.final()]
  return Buffer.concat([iv, cipher.getAuthTag(), ...body])
}

function decipher (ticket: Buffer, kept: Buffer): string {
  const cipher = createDecipheriv(CIPHER, ticket, kept.subarray(0, IV_BYTES))
  cipher.setAuthTag(kept.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
  return Buffer.concat([cipher.update(kept.subarray(IV_BYTES + TAG_BYTES)), cipher.final()]).toString()
}
