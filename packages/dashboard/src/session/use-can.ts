import type { Me } from 'tidings'
import { useActing, useMe } from '../live/tidings.tsx'

type Scope = Me['scopes'][number]

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
    const needed = isActing || scope.startsWith('operator:') ? operatorScopes(scope) : [scope]
    return needed.some(each => scopes.includes(each))
  }
}

/** `operator:write` allows to read as well. */
const operatorScopes = (scope: Scope): Scope[] =>
  scope.endsWith(':read') ? ['operator:read', 'operator:write'] : ['operator:write']
