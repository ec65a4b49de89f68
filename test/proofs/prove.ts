import type { Mutation } from './mutation.ts'
import { runTest, type TestName } from './run-test.ts'
import type { Verdict } from './verdict.ts'
import type { WorkCopy } from './work-copy.ts'

export type Proof = { promise: string, mutation: Mutation }
export type Proved = Proof & { test: TestName, verdict: Verdict, seconds: number }

/** Whether a test did not catch a mutation. */
export const isMissed = ({ verdict }: Proved): boolean => verdict.is !== 'caught'

type ProveOptions = {
  /** Whether the tests are known to pass without mutations. */
  isTrusted: boolean
  signal: AbortSignal
}

const PASSED: Verdict = { is: 'survived' }

/**
 * Applies one mutation after the other and runs the tests that must catch it. Each test runs once without one first,
 * unless it is trusted to pass: a test that fails anyway proves nothing.
 */
export async function * prove (
  copy: WorkCopy, proofs: Proof[], { isTrusted, signal }: ProveOptions
): AsyncGenerator<Proved> {
  const unmutated = new Map<string, Verdict>()
  for (const { promise, mutation } of proofs) {
    for (const [file, name] of Object.entries(mutation.tests)) {
      const test = { file, name }
      const started = performance.now()
      const known = isTrusted ? PASSED : unmutated.get(`${file} ${name}`)
      const before = known ?? await runTest(copy.path, test, signal)
      unmutated.set(`${file} ${name}`, before)
      const verdict = before.is === 'survived' ? await runMutated(copy, mutation, test, signal) : failsAnyway(before)
      if (signal.aborted) return
      yield { promise, mutation, test, verdict, seconds: (performance.now() - started) / 1000 }
    }
  }
}

async function runMutated (
  copy: WorkCopy, mutation: Mutation, test: TestName, signal: AbortSignal
): Promise<Verdict> {
  const restore = copy.apply(mutation)
  try {
    return await runTest(copy.path, test, signal)
  } finally {
    restore()
  }
}

function failsAnyway ({ by }: Exclude<Verdict, { is: 'survived' }>): Verdict {
  return { is: 'broken', by: `without the mutation too: ${by}` }
}
