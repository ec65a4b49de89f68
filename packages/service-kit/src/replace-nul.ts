/** Replaces NUL, which Postgres cannot store in a text. */
export function replaceNul (text: string): string {
  return text.replaceAll('\0', '\ufffd')
}
