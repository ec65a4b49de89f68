/** The result of a tap run, in assertions. */
export interface TapCounts { passed: number, failed: number, skipped: number }

/**
 * Reads the raw output of tap line by line. It prints one line for a file that passed, and everything but the passed
 * assertions for a file that failed, so that a long run stays readable and no failure is hidden.
 */
export function createTapReport (print: (line: string) => void) {
  let counts: TapCounts | undefined
  let files = 0
  let empty = 0
  let block: string[] = []
  let isDiagnostic = false

  const finishFile = (line: string) => {
    files++
    const hasFailed = line.startsWith('not ok')
    const isEmpty = line.includes('# SKIP no tests found')
    if (isEmpty) empty++
    if (hasFailed || isEmpty) for (const kept of block.filter(isRelevant)) print(kept)
    print(hasFailed ? line : isEmpty ? `${line}, which counts as a failure` : line.replace(/^ok \d+ - /, 'ok '))
    isDiagnostic = hasFailed
    block = []
  }

  return {
    line (line: string): void {
      if (line.startsWith('# Subtest: ')) {
        isDiagnostic = false
        block = [line]
      } else if (/^(not )?ok \d+/.test(line)) finishFile(line)
      else if (line.startsWith('# { total: ')) counts = readCounts(line)
      else if (block.length > 0) block.push(line)
      else if (isDiagnostic || !isFrame(line)) print(line)
    },

    /** Returns the counts. What tap cannot count is a failure too: a crash of tap, a file without tests. */
    finish (exitCode: number | null): TapCounts {
      for (const kept of block) print(kept)
      const { passed = 0, failed = 0, skipped = 0 } = counts ?? {}
      const uncounted = empty + (failed === 0 && exitCode !== 0 ? 1 : 0)
      const hasNothing = files === 0 || passed + failed + uncounted === 0
      return { passed, failed: failed + uncounted + (hasNothing && uncounted === 0 ? 1 : 0), skipped: skipped - empty }
    }
  }
}

// Passed assertions and empty plans are left out.
function isRelevant (line: string): boolean {
  return !/^\s*(ok \d.*|\d+\.\.\d+)?$/.test(line)
}

// Lines of TAP around the files.
function isFrame (line: string): boolean {
  return line === '' || /^(TAP version 14|\d+\.\.\d+|# No coverage generated|# time=.*)$/.test(line)
}

function readCounts (line: string): TapCounts {
  const count = (name: string) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(line)?.[1] ?? 0)
  return { passed: count('pass'), failed: count('fail'), skipped: count('skip') + count('todo') }
}
