/**
 * What a test made of a mutation: an assertion failed, all passed, or it ended otherwise, which proves nothing (it
 * could not be started, say).
 */
export type Verdict = { is: 'caught', by: string } | { is: 'survived' } | { is: 'broken', by: string }

/** Failures that tap reports itself, not a test. */
const NO_ASSERTION = /^(test unfinished|timeout!|child test left in queue|test count|no plan|plan excludes)/
/** Errors that assert: a bounded wait that ended in vain (`until`, `untilStates`), a property that does not hold. */
const ASSERTING = /^(waited \d+ ms in vain|states are .* and not|Property failed)/

/** Reads the TAP of a test file line by line, and finds its first failed assertion. */
export function createVerdictReader () {
  let caught: string | undefined
  let broken: string | undefined
  let hasPassed = false
  /** A failure whose details are read, and the indentation of its details. */
  let failure: { name: string, indent: string, isThrown: boolean } | undefined

  function line (text: string): void {
    const [, indent = '', name] = /^( *)not ok \d+ - (.*)$/.exec(text) ?? []
    if (name !== undefined) {
      endFailure()
      // The last line of a group of tests, whose own failures were reported before.
      if (!/ # time=\S+$/.test(name)) failure = { name, indent: `${indent}  `, isThrown: false }
    } else if (failure) {
      if (text.startsWith(`${failure.indent}tapCaught: `)) failure.isThrown = true
      if (text === `${failure.indent}...`) endFailure()
    } else if (/^ *ok \d+(?!.* # SKIP)/.test(text)) {
      hasPassed = true
    }
  }

  function endFailure () {
    if (!failure) return
    const { name, isThrown } = failure
    const asserts = isThrown ? ASSERTING.test(name) : !NO_ASSERTION.test(name)
    if (asserts) caught ??= name
    else broken ??= name
    failure = undefined
  }

  return {
    line,
    get hasCaught () { return caught !== undefined },
    /** To be called when the file has ended. */
    verdict (exitCode: number | null): Verdict {
      endFailure()
      if (caught !== undefined) return { is: 'caught', by: caught }
      if (broken !== undefined) return { is: 'broken', by: broken }
      if (exitCode !== 0) return { is: 'broken', by: `it ended with ${exitCode}` }
      return hasPassed ? { is: 'survived' } : { is: 'broken', by: 'no test ran' }
    }
  }
}
