import type { TestContext } from '@tidings/testing'
import type { Gateway } from './gateway.ts'

/** Records each admission from now on; each promise settles when the client is admitted or refused. */
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
