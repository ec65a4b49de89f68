/** The first JavaScript block below each heading of a Markdown document, by the heading's text. */
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

/** What a reader would write in place of the document's own, once or more; it has to stand there. */
export interface Substitution { from: string, to: string }

export function substitute (code: string, substitutions: Substitution[]): string {
  return substitutions.reduce((text, { from, to }) => {
    if (!text.includes(from)) throw new Error(`The document no longer says ${from}`)
    return text.replaceAll(from, to)
  }, code)
}
