/**
 * A user is identified by a text: claim `userId` (number or string) or `sub`.
 * 7 and "7" are one user.
 */
const PRINTABLE = /^[^\p{C}]{1,128}$/u
const CANONICAL_INTEGER = /^(0|-?[1-9]\d{0,15})$/

/** The identity of a user as text, or undefined where the claim is neither a number nor 1–128 printable characters. */
export function userIdText (claim: unknown): string | undefined {
  if (typeof claim === 'number') return Number.isFinite(claim) ? String(claim) : undefined
  if (typeof claim === 'string' && PRINTABLE.test(claim)) return claim
  return undefined
}

/** The identity as clients see it: a JSON number iff the text is a canonical safe integer, else the text. */
export function renderUserId (userId: string): number | string {
  if (!CANONICAL_INTEGER.test(userId)) return userId
  const number = Number(userId)
  return Number.isSafeInteger(number) ? number : userId
}
