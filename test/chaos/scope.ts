import type { TestContext } from '@tidings/testing'

/** A context as a test has it, for a program: what is registered is ended by `close`, the last first. */
export function createScope (): TestContext & { close: () => Promise<void> } {
  const endings: (() => unknown)[] = []
  return {
    teardown: ending => endings.push(ending),
    close: async () => {
      for (let ending = endings.pop(); ending !== undefined; ending = endings.pop()) {
        try {
          await ending()
        } catch (err) {
          console.error(err) // the others must end too
        }
      }
    }
  }
}
