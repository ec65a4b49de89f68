import { startSystem, type System, type SystemOptions } from '@tidings/local'
import { temporaryFolder, type TestContext } from '@tidings/testing'

/** The whole system in a folder and on ports of its own, gone with the test. */
export async function startTestSystem (t: TestContext, options: Partial<SystemOptions> = {}): Promise<System> {
  const lines: string[] = []
  const folder = temporaryFolder(t, 'system')
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, LOG_LEVEL: 'warn', ...options.env }
  try {
    const system = await startSystem({ folder, ports: 'free', report: line => lines.push(line), ...options, env })
    t.teardown(() => system.stop())
    return system
  } catch (cause) {
    throw new Error(`The system did not start. It reported:\n${lines.join('\n')}`, { cause })
  }
}
