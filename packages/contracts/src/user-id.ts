/**
 * A user is identified by a text: claim `userId` (number or string) or `sub`.
 * 7 and "7" are one user.
 */
/** U+FFFD is what decoding leaves of bytes that are not UTF-8: different users would become one. */
const PRINTABLE = /^[^\p{C}\ufffd]{1,128}$/u
const CANONICAL_INTEGER = /^(0|-?[1-9]\d{0,15})$/

/**
 * The identity of a user as text, or undefined where the claim is neither a safe integer nor 1–128 printable
 * characters. Beyond 2^53 different numbers are equal once they are parsed, and so would be their users.
 */
export function userIdText (claim: unknown): string | undefined {
  if (typeof claim === 'number') return Number.isSafeInteger(claim) ? String(claim) : undefined
  if (typeof claim === 'string' && PRINTABLE.test(claim)) return claim
  return undefined
}

/** Why a claim does not identify a user, as shown to the client. */
export function userIdFault (claim: unknown): string {
  if (typeof claim === 'number') {
    return 'The user id is a number but not an integer between -(2^53-1) and 2^53-1: write it as a string'
  }
  return claim === undefined || claim === null
    ? 'The token names no user (claim userId or sub)'
    : 'The user id must be an integer or a string of 1 to 128 printable characters'
}

/** The identity as clients see it: a JSON number iff the text is a canonical safe integer, else the text. */
export function renderUserId (userId: string): number | string {
  if (!CANONICAL_INTEGER.test(userId)) return userId
  const number = Number(userId)
  return Number.isSafeInteger(number) ? number : userId
}
