import { useSyncExternalStore } from 'react'

/** A choice of the user that this browser keeps. */
export interface Stored<Value extends string> {
  get: () => Value
  set: (value: Value) => void
  subscribe: (listener: () => void) => () => void
}

/** Where storage is blocked the choice lasts as long as the page. */
export function createStored<Value extends string> (name: string, values: readonly Value[]): Stored<Value> {
  const key = `tidings:${name}`
  const listeners = new Set<() => void>()
  let value = read() ?? values[0] as Value

  function read (): Value | undefined {
    try {
      return values.find(each => each === localStorage.getItem(key))
    } catch {
      return undefined
    }
  }

  return {
    get: () => value,
    set: next => {
      value = next
      try {
        localStorage.setItem(key, next)
      } catch {} // blocked
      for (const listener of listeners) listener()
    },
    subscribe: listener => {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    }
  }
}

export function useStored<Value extends string> ({ subscribe, get }: Stored<Value>): Value {
  return useSyncExternalStore(subscribe, get)
}
