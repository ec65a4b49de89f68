import { lazy, Suspense } from 'react'
import { Loading } from '../states.tsx'

const JsonView = lazy(() => import('./json-view.tsx'))

/**
 * Any JSON value; `name` says what it is, and names the file that one downloads. Paths that are copied begin with
 * `root`.
 */
export function Json (props: { value: unknown, name: string, root: string }) {
  return <Suspense fallback={<Loading rows={3} />}><JsonView {...props} /></Suspense>
}
