const ERROR_NAME = /^[\w$.]*(?:Error|Exception): /
const FIRST_FRAME = /\n\s+at /

/** The stacks that a worker has stored, oldest first; none where they are no JSON. */
export function stacksOf (json: string): unknown[] {
  try {
    const stacks: unknown = JSON.parse(json)
    return Array.isArray(stacks) ? stacks : []
  } catch {
    return []
  }
}

/** The message of an error in its stack, as JavaScript or Python write it; undefined for anything else. */
export function messageOf (stack: unknown): string | undefined {
  if (typeof stack !== 'string') return undefined
  const text = stack.startsWith('Traceback ')
    ? stack.trimEnd().split('\n').at(-1) ?? ''
    : stack.slice(0, FIRST_FRAME.exec(stack)?.index)
  return text.replace(ERROR_NAME, '')
}
