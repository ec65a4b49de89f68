import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from './test-context.ts'

/** A folder of the test's own that every user may enter (Postgres runs as another one under root). */
export function temporaryFolder (t: TestContext, name = 'test'): string {
  const folder = mkdtempSync(join(tmpdir(), `tidings-${name}-`))
  chmodSync(folder, 0o755)
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })
  return folder
}
