/**
 * What the helpers need of a tap test: a hook at its end. Tap's own `t` and that of a subtest both have it.
 * Not `after`, which does the same but for tap's own `t`: there only a `teardown` lets a file end while a server of
 * the test still runs, instead of waiting for that server to end first.
 */
export interface TestContext {
  teardown: (fn: () => unknown) => unknown
}
