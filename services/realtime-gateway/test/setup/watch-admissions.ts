import type { TestContext } from '@tidings/testing'
import type { Gateway } from './gateway.ts'

/** Notes whoever comes to a gateway's gate from now on, and when it is let in or refused. */
export function watchAdmissions (t: TestContext, { admission }: Gateway['app']): Promise<unknown>[] {
  const { admit } = admission
  const admissions: Promise<unknown>[] = []
  admission.admit = token => {
    const admitted = admit(token)
    admissions.push(admitted)
    return admitted
  }
  t.teardown(() => { admission.admit = admit })
  return admissions
}
