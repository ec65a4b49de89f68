import { lazy, Suspense } from 'react'
import { Loading } from '../states.tsx'

const JsonView = lazy(() => import('./json-view.tsx'))

/** Any JSON value; `name` says what it is, and names the file that one downloads. */
export function Json ({ value, name }: { value: unknown, name: string }) {
  return <Suspense fallback={<Loading rows={3} />}><JsonView value={value} name={name} /></Suspense>
}
