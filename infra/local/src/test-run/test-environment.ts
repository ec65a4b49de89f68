import { join } from 'node:path'
import { startPostgres } from '@tidings/dev-servers'
import { createRunFolder } from './run-folder.ts'

/** Gives a run of tests what its files share, as variables of their environment; all of it is gone afterwards. */
export async function withTestEnvironment<T> (run: (env: NodeJS.ProcessEnv) => Promise<T>): Promise<T> {
  const folder = createRunFolder()
  // One cluster for all files, each of which creates databases of its own. No test cuts the power, so fsync is off.
  const postgres = await startPostgres({ dir: join(folder.path, 'postgres'), settings: { fsync: 'off' } })
  try {
    return await run({
      TMPDIR: folder.tmp,
      TIDINGS_TEST_RUN: folder.notes,
      // Hundreds of processes load the same modules: with a compile cache they start in two thirds of the time.
      NODE_COMPILE_CACHE: join(folder.path, 'compiled'),
      TIDINGS_TEST_POSTGRES_URL: postgres.url
    })
  } finally {
    await postgres.stop()
    await folder.clear()
  }
}
