import { useSyncExternalStore } from 'react'

/** A choice of the user that this browser keeps. */
export interface Stored<Value extends string> {
  get: () => Value
  set: (value: Value) => void
  subscribe: (listener: () => void) => () => void
}

/** One of these values; `initial` until one chooses. */
export function createStored<Value extends string> (
  name: string, values: readonly Value[], initial = values[0] as Value
): Stored<Value> {
  return createStoredText(name, text => values.find(each => each === text), initial)
}

/**
 * Any text that `parse` accepts, as what it makes of it. Where storage is blocked the choice lasts as long as the page.
 */
export function createStoredText<Value extends string> (
  name: string, parse: (text: string) => Value | undefined, initial: Value
): Stored<Value> {
  const key = `tidings:${name}`
  const listeners = new Set<() => void>()
  let value = read() ?? initial

  function read (): Value | undefined {
    try {
      return parse(localStorage.getItem(key) ?? '')
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
