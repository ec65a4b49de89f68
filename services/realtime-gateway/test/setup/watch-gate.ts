import type { TestContext } from '@tidings/testing'
import type { Gateway } from './gateway.ts'

/** Notes whoever comes to a gateway's gate from now on, and when it is let in or refused. */
export function watchGate (t: TestContext, { gate }: Gateway['app']): Promise<unknown>[] {
  const { enter } = gate
  const entering: Promise<unknown>[] = []
  gate.enter = token => {
    const entered = enter(token)
    entering.push(entered)
    return entered
  }
  t.teardown(() => { gate.enter = enter })
  return entering
}
