/**
 * What the helpers need of a tap test: to be told of its end. Both `t` of tap and of a subtest fit.
 * Not `after`, which does the same but for tap's own `t`: there only a `teardown` lets a file end while a server of
 * the test still runs, instead of waiting for that server to end first.
 */
export interface TestContext {
  teardown: (fn: () => unknown) => unknown
}
