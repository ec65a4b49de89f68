/** The first JavaScript block below each heading of a Markdown document, by the text of the heading. */
export function javascriptBlocks (markdown: string): Map<string, string> {
  const blocks = new Map<string, string>()
  let heading = ''
  let block: string[] | undefined
  for (const line of markdown.split('\n')) {
    if (block === undefined) {
      heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading
      if (line === '```javascript') block = []
    } else if (line === '```') {
      if (!blocks.has(heading)) blocks.set(heading, block.join('\n'))
      block = undefined
    } else {
      block.push(line)
    }
  }
  return blocks
}

/** A replacement that a reader of the document would make; `from` must occur in the code. */
export interface Substitution { from: string, to: string }

export function substitute (code: string, substitutions: Substitution[]): string {
  return substitutions.reduce((text, { from, to }) => {
    if (!text.includes(from)) throw new Error(`The document no longer contains ${from}`)
    return text.replaceAll(from, to)
  }, code)
}
