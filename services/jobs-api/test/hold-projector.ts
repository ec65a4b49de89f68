import { holding, type TestContext } from '@tidings/testing'

/** The projector waits until the returned function is called. */
export async function holdProjector (
  t: TestContext, sql: Parameters<typeof holding>[1]
): Promise<() => Promise<void>> {
  return await holding(t, sql, async tx => await tx`select from jobs.positions for update`)
}
