import { startSystem, type System, type SystemOptions } from '@tidings/local'
import { createDatabase, temporaryFolder, type TestContext } from '@tidings/testing'

/**
 * Starts the whole system in a folder and on ports of its own, and stops it after the test. Its database is in the
 * cluster of the test run, which saves the seconds in which a new cluster is initialised.
 */
export async function startTestSystem (t: TestContext, options: Partial<SystemOptions> = {}): Promise<System> {
  const lines: string[] = []
  const folder = temporaryFolder(t, 'system')
  const { url: DATABASE_URL } = await createDatabase(t)
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    LOG_LEVEL: 'warn',
    EVENT_LOOP_DELAY_MAX_MS: '0', // a busy machine is late for reasons of its own
    DATABASE_URL,
    ...options.env
  }
  try {
    const system = await startSystem({ folder, ports: 'free', report: line => lines.push(line), ...options, env })
    t.teardown(() => system.stop())
    return system
  } catch (cause) {
    throw new Error(`The system did not start. It reported:\n${lines.join('\n')}`, { cause })
  }
}
