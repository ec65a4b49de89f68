import type { Output } from './output.ts'

/** Draws lines over those that it drew before. */
export function clearAndDraw (out: Output): (lines: string[]) => void {
  let drawn = 0
  return lines => {
    const up = drawn > 0 ? `\u001b[${drawn}A` : ''
    process.stdout.write(`${up}\u001b[J`)
    for (const line of lines) out.line(line)
    drawn = lines.length
  }
}
