import type { Me } from 'tidings'
import { useActing, useMe } from '../live/tidings.tsx'

export type Scope = Me['scopes'][number]

/** Whether the token allows this; also while that is not known yet, as the services decide in any case. */
export function useCan (scope: Scope): boolean {
  return useScopes()(scope)
}

/** The same for any scope. In the place of another user the scopes of operators count. */
export function useScopes (): (scope: Scope) => boolean {
  const scopes = useMe()?.scopes
  const isActing = useActing() !== undefined
  return scope => {
    if (!scopes) return !scope.startsWith('operator:')
    return enough(scope, isActing).some(each => scopes.includes(each))
  }
}

/** Each of these is enough, the least one first: `operator:write` allows to read as well. */
export function enough (scope: Scope, isActing: boolean): [Scope, ...Scope[]] {
  if (!isActing && !scope.startsWith('operator:')) return [scope]
  return scope.endsWith(':read') ? ['operator:read', 'operator:write'] : ['operator:write']
}
